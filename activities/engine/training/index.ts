/** Losses, advantages, the trainer and the optimiser. */
export { taskDeviations } from './advantages.js';
export { ALGORITHMS, rulesOf } from './algorithms.js';
export { policySlopes } from './loss-slopes.js';
export type { Objective } from './losses.js';
export { AdamW, clipScale, gradientNorm } from './optimizer.js';
export { policyMetrics } from './policy-metrics.js';
export { sftBatch } from './sft-batch.js';
export { groupAdvantages, policyObjective, shapedReward, tokenTargets } from './token-targets.js';
export { type ObjectiveFeeds, type TokenResults, Trainer } from './trainer.js';
