/**
 * A simulation: how long a step would take on more workers than there are cores here. What the parts take is measured; who
 * does which, and when, is the schedule's own rule: the next shard goes to the worker that is free first.
 */
import { shardsOf } from '../../../../activities/artifacts/index.js';

export interface Parts {
  /** Seconds of sampling for each prompt of a step, one at a time on one worker. */
  prompts: readonly number[];
  /** Seconds from a shard's being done to the next in hand, and of handing the weights over: once a worker and step. */
  shardOverhead: number;
  weights: number;
  /** Seconds of what one worker does while the others wait: gathering, scores, the update. */
  alone: number;
}

export interface Simulated {
  workers: number;
  shards: number;
  /** Seconds of sampling, and of the whole step. */
  sampling: number;
  step: number;
}

/** @param shardsPerWorker more than one lets a worker that is done early take another's */
export function simulateStep(parts: Parts, workers: number, shardsPerWorker = 2): Simulated {
  const shards = workers === 1 ? 1 : Math.min(parts.prompts.length, workers * shardsPerWorker);
  const shardOf = shardsOf(parts.prompts, shards);
  const lengths = Array.from({ length: shards }, (_, shard) =>
    parts.prompts.reduce((sum, seconds, k) => (shardOf[k] === shard ? sum + seconds : sum), 0),
  );
  // The one that made the update has the weights.
  const free = Array.from({ length: workers }, (_, worker) => (worker === 0 ? 0 : parts.weights));
  let busiest = 0;
  for (const length of lengths) {
    const first = free.indexOf(Math.min(...free));
    free[first]! += length + parts.shardOverhead;
    busiest = Math.max(busiest, free[first]!);
  }
  return { workers, shards, sampling: busiest, step: busiest + parts.alone };
}
