/** Work that several workers share: its shards as activities side by side. */
import { CancellationScope } from '@temporalio/workflow';
import type { Shard } from '../activities/artifacts/index.js';

/** The results of all shards, in order. Where one fails for good the others are cancelled, and have ended when it is said. */
export function inShards<T>(of: number, work: (shard: Shard) => Promise<T>): Promise<T[]> {
  const scope = new CancellationScope();
  return scope.run(async () => {
    const running = Array.from({ length: of }, (_, index) => work({ index, of }));
    try {
      return await Promise.all(running);
    } catch (error) {
      scope.cancel();
      await Promise.allSettled(running);
      throw error;
    }
  });
}
