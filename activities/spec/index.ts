/** Specs of runs and evaluations: schemas, defaults, and messages about mistakes. */
export { adapterOf, type EngineSpec, servedModel } from './engine-settings.js';
export {
  defaultLabel,
  type EvaluatedModelSpec,
  type EvaluationSpec,
  evaluatedModelSchema,
  evaluationSpecSchema,
  inputLimit,
  invalidEvaluation,
  labelText,
  remoteInputLimit,
  validateEvaluation,
} from './evaluation-spec.js';
export { type ExportSettings, exportSchema } from './export-settings.js';
export { EMPTY_MEMORY, type MemorySettings } from './memory-settings.js';
export { nearest } from './nearest.js';
export { checkRewardKeys, withRewardFiles } from './reward-files.js';
export type { RlSettings } from './rl-settings.js';
export {
  type CheckpointSettings,
  isoDateSchema,
  type RunSpec,
  runNameSchema,
  runSpecSchema,
  templateVariablesSchema,
  type WarmupSpec,
} from './run-spec.js';
export { differences } from './spec-differences.js';
export { InvalidSpecError, type SpecIssue } from './spec-issues.js';
export { cellRun, type Hypothesis, MOST_CELLS, type StudySpec, studySpecSchema } from './study-spec.js';
export { validateSpec } from './validate-spec.js';
export { evaluatedLabels, type ValidStudy, type Variant, validateStudy } from './validate-study.js';
