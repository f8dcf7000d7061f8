/** What made a result: the code's version and the bits that an engine computes. */
export { type CodeVersion, codeText, codeVersion } from './code-version.js';
export { differ, measureNumerics, type Numerics, promiseOf, type RedoPromise } from './numerics.js';
export { OutOfToleranceError } from './out-of-tolerance.js';
