/** The end of a run: its final policy is checked, file by file, and the result is published beside it. */
import type { CurriculumResult } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { openSnapshot, snapshotUri } from '../policies/index.js';
import { DivergenceError, publishJson, readJson, resultUri } from '../store/index.js';
import { supervised } from '../supervision/index.js';

export function exportPolicy(deps: Dependencies) {
  return (result: CurriculumResult): Promise<CurriculumResult> =>
    supervised('checking the final policy', async () => {
      // A finished run that is started again ends as it did, its times included.
      const published = await deps.store.find(resultUri(result.run));
      if (published) {
        const before = await readJson<CurriculumResult>(deps.store, published);
        if (before.policy.sha256 === result.policy.sha256) return before;
        throw new DivergenceError(published.uri, before.policy.sha256, result.policy.sha256, null);
      }
      await openSnapshot(deps.store, result.policy);
      const exported = { ...result, policy: { ...result.policy, uri: snapshotUri(result.policy) } };
      await publishJson(deps.store, resultUri(result.run), exported);
      return exported;
    });
}
