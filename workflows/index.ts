/** The workflow types a worker offers. */
export { curriculum } from './curriculum.js';
export { evaluation } from './evaluation.js';
export { exporting } from './exporting.js';
export { phase } from './phase.js';
export { study } from './study.js';
export { warmup } from './warmup.js';
