/** The architecture: from config.json to decoder layers, adapters and packed sequences. */
export type { Architecture } from './config.js';
export { type DecoderConfig, expectedTensors, parseConfig } from './config.js';
export {
  type Attend,
  decoderLayers,
  EMBEDDING_WEIGHT,
  FINAL_NORM_WEIGHT,
  finalNorm,
  HEAD_WEIGHT,
  rotaryInputs,
  shiftLayer,
  type Weight,
  weightInputs,
} from './decoder.js';
export { LANES } from './lanes.js';
export {
  type Adapter,
  adapterOfLayers,
  adapterShapes,
  EMBEDDING_MODULES,
  initialAdapter,
  type LayerSettings,
  lastPart,
  layerSettings,
  linearModules,
  loraScale,
  nameHits,
  refuseEmbeddings,
  shortNames,
  targetedModules,
} from './lora.js';
export { type AdapterShape, loraAdaptation } from './lora-graph.js';
export { LoraMerge } from './lora-merge.js';
export {
  embed,
  embeddingGradient,
  type GroupPart,
  type PackedBatch,
  type PromptGroup,
  pack,
  splitPasses,
} from './packing.js';
export { alone, attentionFeeds, placeRows, ROWS, rowsOf } from './places.js';
export { RotaryTable } from './rotary.js';
export { activationBytes, cutSegments, type Segment } from './segments.js';
export { modelSummary } from './summary.js';
export { TILES, tileOf } from './tiles.js';
