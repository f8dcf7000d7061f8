/** What workflows and activities share: types, names of queues, and rules that both go by. It imports nothing. */
export type {
  BenchmarkRow,
  EvaluationProgress,
  EvaluationRow,
  EvaluationSpecInput,
  EvaluationStart,
  EvaluationSummary,
  FiringComparison,
  JudgeUsage,
  ReadByMemory,
  Shortened,
} from './evaluation.js';
export { samplesAhead } from './overlap.js';
export type { PolicyRef, SnapshotRule } from './policy.js';
export { ENGINE_QUEUES, type EngineKind, GPU_TASK_QUEUE, HEARTBEAT_TIMEOUT_SECONDS, TASK_QUEUE } from './queues.js';
export { promptsToDraw } from './refills.js';
export type {
  BranchInput,
  CellInput,
  CurriculumInput,
  CurriculumResult,
  Progress,
  ReplayPhaseInput,
  RunState,
  StageProgress,
  StepReport,
} from './run.js';
export { isEvaluated, labelAfter, stageNumber } from './stages.js';
export type { Comparison, Difference, Estimate } from './statistics.js';
export type {
  Cell,
  CellProgress,
  StudyProgress,
  StudyResult,
  StudySpecInput,
  StudyState,
  Verdict,
} from './study.js';
