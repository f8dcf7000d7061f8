/** Whether two runs of one name in two stores came to the same, step by step and bit by bit. */
import type { CurriculumResult } from '../../../activities/contract/index.js';
import { attemptsOf, stepNumbers } from '../../../activities/policies/index.js';
import { type Store, stepUri } from '../../../activities/store/index.js';

export interface Side {
  result: CurriculumResult;
  store: Store;
}

/** Hashes of all that the run's steps are made of, by uri; of the shards that somebody left nothing. */
async function stepHashes(store: Store, run: string): Promise<Map<string, string | null>> {
  const hashes = new Map<string, string | null>();
  for (const stage of await attemptsOf(store, run)) {
    for (const step of await stepNumbers(store, stage)) {
      const files = (await store.list(stepUri(stage, step, 'x').replace(/\/x$/, ''))).filter(name =>
        /^(update|rollouts-\d+|scores-\d+)\.jsonl?$/.test(name),
      );
      for (const file of files) {
        const uri = stepUri(stage, step, file);
        hashes.set(uri, await store.recorded(uri));
      }
    }
  }
  return hashes;
}

/** @returns what differs, in words; nothing where all is equal. And how many files were compared. */
export async function compare(a: Side, b: Side): Promise<{ files: number; different: string[] }> {
  const { run } = a.result;
  const [first, second] = await Promise.all([stepHashes(a.store, run), stepHashes(b.store, run)]);
  const uris = [...new Set([...first.keys(), ...second.keys()])].sort();
  const different = uris
    .filter(uri => first.get(uri) === undefined || first.get(uri) !== second.get(uri))
    .map(uri => `${uri}: ${first.get(uri) ?? 'nothing'} and ${second.get(uri) ?? 'nothing'}`);
  const [weights, others] = [a.result.policy.sha256, b.result.policy.sha256];
  if (weights !== others) different.unshift(`final weights: ${weights} and ${others}`);
  const rows = ({ result }: Side) => JSON.stringify(result.evaluations);
  if (rows(a) !== rows(b)) different.unshift('the evaluations');
  return { files: uris.length, different };
}
