/** What a run's policies scored on its evaluation sets: the rows of its evaluations, without their items. */
import type { EvaluationRow } from '../../activities/contract/index.js';
import type { EvaluationResult } from '../../activities/evaluation/index.js';
import { readJson, type Store, storeUri } from '../../activities/store/index.js';
import { placeOf } from '../evaluations/rows.js';
import { isDamage } from './errors.js';

export interface Score extends Pick<EvaluationRow, 'set' | 'items' | 'score' | 'low' | 'high' | 'meanPromptTokens'> {
  /** The policy's label; with the beginning of its name where several attempts have one so labelled. */
  policy: string;
}

type Known = Omit<Score, 'policy'> & { label: string; name: string };

/** `<label>.<set>.<start of the policy's name>.json` */
const RESULT_FILE = /\.[0-9a-f]{8}\.json$/;

/** Results never change: each is read once. */
export class Scores {
  readonly #known = new Map<string, Known>();

  /**
   * Policies in the order in which the run comes to them, and of each its sets from the shortest prompts on.
   * @param problem told of each result that cannot be read; the others are given
   */
  async of(store: Store, run: string, problem: (message: string) => void): Promise<Score[]> {
    const files = (await store.list(storeUri('runs', run, 'evaluations'))).filter(name => RESULT_FILE.test(name));
    const found: Known[] = [];
    for (const file of files) {
      const known = await this.#at(store, storeUri('runs', run, 'evaluations', file), problem);
      if (known) found.push(known);
    }
    found.sort((a, b) => placeOf(a.label) - placeOf(b.label) || a.meanPromptTokens - b.meanPromptTokens);
    const isShared = (label: string) =>
      new Set(found.filter(one => one.label === label).map(({ name }) => name)).size > 1;
    return found.map(({ label, name, ...row }) => ({
      policy: isShared(label) ? `${label}@${name.slice(0, 8)}` : label,
      ...row,
    }));
  }

  async #at(store: Store, uri: string, problem: (message: string) => void): Promise<Known | null> {
    const known = this.#known.get(uri);
    if (known) return known;
    try {
      const ref = await store.find(uri);
      if (!ref) return null;
      const { label, policy: name, row } = await readJson<EvaluationResult>(store, ref);
      const { set, items, score, low, high, meanPromptTokens } = row;
      const read = { label, name, set, items, score, low, high, meanPromptTokens };
      this.#known.set(uri, read);
      return read;
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  }
}
