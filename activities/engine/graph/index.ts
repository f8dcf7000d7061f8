/** Graphs of ONNX operators: built, encoded, and run by onnxruntime. */
export { type Dim, product } from './dims.js';
export { Graph, GraphError, type Value } from './graph.js';
export { lengthOf } from './length.js';
export { type Attributes, encodeModel, valueMessage } from './onnx.js';
export { positiveAxis } from './operators.js';
export { expectProvider, PROVIDERS, type Provider } from './providers.js';
export {
  bools,
  CompiledGraph,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  GraphCache,
  integers,
  type SessionSettings,
  weightFeeds,
} from './session.js';
export { transposed } from './transposed.js';
