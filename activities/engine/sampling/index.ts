/** Rollouts: prefill, decoding, caches, sampling. */
export { Generator } from './generate.js';
