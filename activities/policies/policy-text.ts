/** The run's tokenizer, taken from its base policy in the store: every worker that reaches the store has it. */
import type { PolicyRef } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { absence, baseUri, findJson, type Store } from '../store/index.js';
import type { Models, TextModel } from '../text/index.js';
import { openSmallFiles } from './checkpoint.js';

type TextDependencies = Pick<Dependencies, 'store'> & { models: Pick<Models, 'open'> };

const opened = new WeakMap<Store, Map<string, Promise<TextModel>>>();

/** Opens the base policy's tokenizer once a process. */
export function textModelOf({ store, models }: TextDependencies, run: string): Promise<TextModel> {
  const cache = opened.get(store) ?? new Map<string, Promise<TextModel>>();
  opened.set(store, cache);
  const present = cache.get(run);
  if (present) return present;
  const model = open(store, models, run);
  cache.set(run, model);
  model.catch(() => cache.delete(run));
  return model;
}

async function open(store: Store, models: TextDependencies['models'], run: string): Promise<TextModel> {
  const base = await findJson<PolicyRef>(store, baseUri(run));
  if (!base) throw await absence(store, baseUri(run), 'the base policy was not imported');
  return models.open(await openSmallFiles(store, base.value));
}
