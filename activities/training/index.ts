/** What a stage of training is made of: pool, rollouts, scores, updates, books. */
export { bandOf, inBand } from './bands.js';
export { buildPool, difficultiesOf, poolOf } from './build-pool.js';
export { gatherRollouts } from './gather-rollouts.js';
export { answerAgain, recordAgain } from './measure-again.js';
export { phaseOf } from './phase-of.js';
export { recordDifficulty, type StepLine, summarizeSteps } from './record-phase.js';
export { carriedCount } from './resampling.js';
export { type RolloutInput, type RolloutResult, rollout, type StepInput } from './rollout.js';
export { score } from './score.js';
export { type TrainStepsResult, trainSteps } from './train-steps.js';
export { lossSettings, update } from './update.js';
export { warmupSteps } from './warmup-steps.js';
