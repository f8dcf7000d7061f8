/** The run's tokenizer, taken from its base policy in the store: every worker that reaches the store has it. */
import type { PolicyRef } from '../workflows/contract.js';
import { openSmallFiles } from './checkpoint.js';
import type { Dependencies, Models, TextModel } from './dependencies.js';
import { absence, baseUri, readJson } from './store/index.js';

const opened = new WeakMap<Models, Map<string, Promise<TextModel>>>();

/** Opens the base policy's tokenizer once a process. */
export async function textModelOf({ store, models }: Dependencies, run: string): Promise<TextModel> {
  const ref = await store.find(baseUri(run));
  if (!ref) throw await absence(store, baseUri(run), 'the base policy was not imported');
  const base = await readJson<PolicyRef>(store, ref);
  const cache = opened.get(models) ?? new Map<string, Promise<TextModel>>();
  opened.set(models, cache);
  const present = cache.get(base.uri);
  if (present) return present;
  const model = models.open(await openSmallFiles(store, base));
  cache.set(base.uri, model);
  model.catch(() => cache.delete(base.uri));
  return model;
}
