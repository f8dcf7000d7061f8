/** Hugging Face and PEFT folders, read and written. */
export { ADAPTER_WEIGHTS_FILE, hasAdapter, readAdapter, writeAdapter } from './adapter-folder.js';
export {
  CONFIG_FILE,
  type ModelFolder,
  readConfig,
  readModelFolder,
  readSmallFiles,
  writeModelFolder,
} from './model-folder.js';
export { plainName, resolveModel } from './model-source.js';
export { hasOptimizer, OPTIMIZER_FILE, type OptimizerState, readOptimizer, writeOptimizer } from './optimizer-state.js';
export { ADAPTER_CONFIG_FILE } from './peft-config.js';
