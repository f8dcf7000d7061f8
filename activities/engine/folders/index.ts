/** Hugging Face and PEFT folders, read and written. */
export { ADAPTER_WEIGHTS_FILE, hasAdapter, readAdapter, writeAdapter } from './adapter-folder.js';
export { type ModelFolder, readConfig, readModelFolder, writeModelFolder } from './model-folder.js';
export { plainName, resolveModel } from './model-source.js';
export { hasOptimizer, OPTIMIZER_FILE, type OptimizerState, readOptimizer, writeOptimizer } from './optimizer-state.js';
