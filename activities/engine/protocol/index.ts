/** The contract of every engine: what it can be asked, and how it fails. */
export type { CallOptions, Engine, EngineOperations, EngineProgress, Operation } from './engine.js';
export { EngineLostError, EngineRequestError } from './errors.js';
export type {
  EngineStatus,
  GeneratedResponse,
  GeneratePrompt,
  GenerateRequest,
  GenerateResult,
  LoadRequest,
  LogprobsRequest,
  ModelSummary,
  ReferenceRequest,
  SaveRequest,
  ScoredGroup,
  ScoredResponse,
  ScoreRequest,
  ScoreResult,
  SftExample,
  SftMetrics,
  SftRequest,
  StepMetrics,
  UpdateMetrics,
  UpdateRequest,
} from './requests.js';
export type { Sampler, ServedModel, ServiceNeeds, ServiceReport, TrainingService } from './service.js';
export {
  ALGORITHM_NAMES,
  type Algorithm,
  DEFAULT_LORA,
  DEFAULT_MICRO_BATCH_TOKENS,
  DEFAULT_OPTIMIZER,
  type FreshAdapter,
  type LoraSettings,
  type LossSettings,
  type OptimizerSettings,
  type OverlongSettings,
  type SamplingSettings,
  type TruncationSettings,
  type WeightingSettings,
} from './settings.js';
export { shown } from './shown.js';
