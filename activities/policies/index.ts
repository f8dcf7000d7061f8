/** Policies lost and found: snapshots, the redo log, and the step that makes one from another. */
export { admitRun, serviceIssues } from './admission.js';
export { openSnapshot, STATE_FILE, snapshotUri } from './checkpoint.js';
export { ensurePolicyLoaded, ensureSnapshot, samplerOf } from './policy.js';
export { policyOfRun } from './policy-of-run.js';
export { textModelOf } from './policy-text.js';
export { Publications } from './publications.js';
export { freshAdapter, publishLoaded, servedModelOf } from './publish-loaded.js';
export {
  attemptsOf,
  entryAt,
  type LogEntry,
  lastStep,
  loggedStep,
  redoLog,
  stepNumbers,
  withoutAsking,
} from './redo-log.js';
export { type Comparison, compareRedone, type Difference, differenceText } from './redone.js';
export { referenceOf, stepThatMade } from './reference.js';
export { shareWeights } from './shared-weights.js';
export { snapshot } from './snapshot.js';
export { snapshotCost } from './snapshot-cost.js';
export { applyStep, deviationsOf, policyName } from './step.js';
