/** Specs of runs and evaluations: schemas, defaults, and messages about mistakes. */
export {
  defaultLabel,
  type EvaluatedModelSpec,
  type EvaluationSpec,
  evaluatedModelSchema,
  inputLimit,
  invalidEvaluation,
  labelText,
  remoteInputLimit,
  validateEvaluation,
} from './evaluation-spec.js';
export { checkRewardKeys, withRewardFiles } from './reward-files.js';
export { type CheckpointSettings, type RlSettings, type RunSpec, runNameSchema, type WarmupSpec } from './run-spec.js';
export { differences } from './spec-differences.js';
export { InvalidSpecError, type SpecIssue, validateSpec } from './validate-spec.js';
