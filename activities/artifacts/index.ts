/** What artifacts hold: their types, and those kept in memory or read in parts. */
export {
  type CheckpointState,
  type DifficultyRecord,
  isPass,
  type Pool,
  type PoolEntry,
  type PromptItem,
  type RolloutGroup,
  type Round,
  readData,
  readKept,
  rewardsOf,
  type ScoredRollouts,
  type StepCounts,
  type StepInputs,
  type StepSettings,
  sampledBy,
  type TraceItem,
  UnreadableSnapshotError,
  type UpdateRecord,
} from './formats.js';
export { ENDPOINT_PARTS, ENGINE_PARTS, type PartList, partStarts, readParts } from './line-parts.js';
export { type OverUpdates, overUpdates, type UpdateMetric } from './over-updates.js';
export { type Shard, shardsOf } from './shards.js';
export { taskOf } from './task-of.js';
