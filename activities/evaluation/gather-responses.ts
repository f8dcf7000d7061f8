/** The answers to a set whose shards several workers gave, as one list of parts. */
import type { PartList } from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import { type ArtifactRef, publishJson } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { allResponsesUri, type EvaluateInput, readPartList } from './job.js';

/** `shards`: what each shard's activity gave. */
export type GatherResponsesInput = EvaluateInput & { shards: ArtifactRef[] };

export function gatherResponses(deps: Dependencies) {
  return (input: GatherResponsesInput): Promise<ArtifactRef> =>
    supervised('gathering the answers', async supervision => {
      const { store } = deps;
      const uri = await allResponsesUri(store, input);
      const published = await store.find(uri);
      if (published) return published;
      const lists = await Promise.all(input.shards.map(list => readPartList(store, list)));
      const parts = lists.flatMap(list => list.parts).sort((a, b) => a.from - b.from);
      supervision.check();
      const { count } = lists[0]!;
      const gathered = await publishJson(store, uri, { count, parts } satisfies PartList);
      for (const list of input.shards) await store.remove(list.uri);
      return gathered;
    });
}
