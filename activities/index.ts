/** All activities, by the worker they run on. Workflows import the types alone. */
import type { Dependencies, EngineDependencies } from './dependencies.js';
import {
  concludeEvaluation,
  evaluate,
  evaluateRemote,
  gatherResponses,
  notify,
  prepareEvaluation,
  scoreEvaluation,
} from './evaluation/index.js';
import { snapshot } from './policies/index.js';
import {
  claimAttempt,
  examineService,
  exportPolicy,
  findOutcome,
  importBase,
  prepareRun,
  shareOutcome,
} from './run/index.js';
import { prepareStudy, reportStudy } from './studies/index.js';
import { exportMetrics } from './trackers/index.js';
import {
  answerAgain,
  buildPool,
  gatherRollouts,
  recordAgain,
  recordDifficulty,
  rollout,
  score,
  summarizeSteps,
  trainSteps,
  update,
  warmupSteps,
} from './training/index.js';

/** Activities of the task queue `longhaul`: no model needed. */
export function createControlActivities(deps: Dependencies) {
  return {
    prepareRun: prepareRun(deps),
    shareOutcome: shareOutcome(deps),
    claimAttempt: claimAttempt(deps),
    buildPool: buildPool(deps),
    gatherRollouts: gatherRollouts(deps),
    score: score(deps),
    recordAgain: recordAgain(deps),
    recordDifficulty: recordDifficulty(deps),
    summarizeSteps: summarizeSteps(deps),
    scoreEvaluation: scoreEvaluation(deps),
    exportPolicy: exportPolicy(deps),
    prepareEvaluation: prepareEvaluation(deps),
    evaluateRemote: evaluateRemote(deps),
    gatherResponses: gatherResponses(deps),
    concludeEvaluation: concludeEvaluation(deps),
    notify: notify(deps),
    prepareStudy: prepareStudy(deps),
    reportStudy: reportStudy(deps),
    exportMetrics: exportMetrics(deps),
  };
}

/** Activities of the task queues `longhaul-gpu` and `longhaul-tinker`: one at a time on a worker, which holds the engine. */
export function createEngineActivities(deps: EngineDependencies) {
  return {
    examineService: examineService(deps),
    importBase: importBase(deps),
    findOutcome: findOutcome(deps),
    trainSteps: trainSteps(deps),
    answerAgain: answerAgain(deps),
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
