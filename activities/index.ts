/** All activities, by the worker they run on. Workflows import the types alone. */
import { buildPool } from './build-pool.js';
import { claimAttempt } from './claim-attempt.js';
import { concludeEvaluation } from './conclude-evaluation.js';
import type { Dependencies, EngineDependencies } from './dependencies.js';
import { evaluate } from './evaluate.js';
import { evaluateRemote } from './evaluate-remote.js';
import { exportPolicy } from './export-policy.js';
import { importBase } from './import-base.js';
import { notify } from './notify.js';
import { prepareEvaluation } from './prepare-evaluation.js';
import { prepareRun } from './prepare-run.js';
import { recordDifficulty, summarizeSteps } from './record-phase.js';
import { rollout } from './rollout.js';
import { score } from './score.js';
import { scoreEvaluation } from './score-evaluation.js';
import { snapshot } from './snapshot.js';
import { trainSteps } from './train-steps.js';
import { update } from './update.js';
import { warmupSteps } from './warmup-steps.js';

/** Activities of the task queue `longhaul`: no model needed. */
export function createControlActivities(deps: Dependencies) {
  return {
    prepareRun: prepareRun(deps),
    claimAttempt: claimAttempt(deps),
    buildPool: buildPool(deps),
    score: score(deps),
    recordDifficulty: recordDifficulty(deps),
    summarizeSteps: summarizeSteps(deps),
    scoreEvaluation: scoreEvaluation(deps),
    exportPolicy: exportPolicy(deps),
    prepareEvaluation: prepareEvaluation(deps),
    evaluateRemote: evaluateRemote(deps),
    concludeEvaluation: concludeEvaluation(deps),
    notify: notify(deps),
  };
}

/** Activities of the task queue `longhaul-gpu`: one at a time on a worker, which holds the engine. */
export function createEngineActivities(deps: EngineDependencies) {
  return {
    importBase: importBase(deps),
    trainSteps: trainSteps(deps),
    rollout: rollout(deps),
    update: update(deps),
    warmupSteps: warmupSteps(deps),
    snapshot: snapshot(deps),
    evaluate: evaluate(deps),
  };
}

/** Everything, for whoever runs both kinds in one place. */
export function createActivities(deps: EngineDependencies) {
  return { ...createControlActivities(deps), ...createEngineActivities(deps) };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
export type EngineActivities = ReturnType<typeof createEngineActivities>;
