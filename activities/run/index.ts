/** A run as a whole: its data, its branches and attempts, its beginning and its end. */
export { isBranch, openBranch, stageNames } from './branch.js';
export { claimAttempt, type StageSettings } from './claim-attempt.js';
export { dataIssues, modelIssues } from './data-checks.js';
export { type PhaseData, type RunDataSummary, summaryOf } from './data-summary.js';
export { examineService } from './examine-service.js';
export { exportPolicy } from './export-policy.js';
export { importBase } from './import-base.js';
export { type Outcome, outcomesOf } from './outcomes.js';
export { prepareRun } from './prepare-run.js';
export { type RunData, readRunData, type SourceRecord } from './run-data.js';
export type { RunPlan, StagePlan } from './run-plan.js';
export {
  type FindOutcomeInput,
  type FoundOutcome,
  findOutcome,
  type ShareOutcomeInput,
  type StageOutcome,
  shareOutcome,
} from './share-outcomes.js';
