/** A round whose shards several workers sampled, as one worker would have published it. */
import type { RolloutGroup } from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import { type ArtifactRef, fenceOf, publishLines, readLines, type StageAttempt } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { newTokensOf, rolloutsUri, type SampledRound } from './rollout.js';

export interface GatherRolloutsInput {
  stage: StageAttempt;
  step: number;
  refill: number;
  /** What each shard's activity gave. */
  shards: ArtifactRef[];
}

export function gatherRollouts(deps: Dependencies) {
  return ({ stage, step, refill, shards }: GatherRolloutsInput): Promise<SampledRound> =>
    supervised(`gathering the rollouts of step ${step}`, async supervision => {
      const { store } = deps;
      const fence = fenceOf(stage);
      const uri = rolloutsUri(stage, step, refill);
      const published = await store.find(uri);
      const parts = published ? [published] : shards;
      const groups = (await Promise.all(parts.map(part => readLines<RolloutGroup>(store, part)))).flat();
      groups.sort((a, b) => a.cursor - b.cursor);
      supervision.check();
      const rollouts = published ?? (await publishLines(store, uri, groups, fence));
      // All of them lie in the round now.
      for (const shard of shards) if (shard.uri !== uri) await store.remove(shard.uri, fence);
      return { rollouts, newTokens: newTokensOf(groups) };
    });
}
