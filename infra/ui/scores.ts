/** What a run's policies scored on its evaluation sets: the rows of its evaluations, without their items. */
import type { CurriculumResult, EvaluationRow } from '../../activities/contract/index.js';
import type { EvaluationResult } from '../../activities/evaluation/index.js';
import { evaluationNamed, readJson, resultUri, type Store, storeUri } from '../../activities/store/index.js';
import { placeOf } from '../evaluations/rows.js';
import { isDamage } from './errors.js';
import { Recent } from './recent.js';

export interface Score extends Pick<EvaluationRow, 'set' | 'items' | 'score' | 'low' | 'high' | 'meanPromptTokens'> {
  /** The policy's label; with the beginning of its name where several attempts have one so labelled. */
  policy: string;
}

type ScoredRow = Omit<Score, 'policy'>;

/** Of a row what the pages show. */
export const scoreOf = (policy: string, { set, items, score, low, high, meanPromptTokens }: ScoredRow): Score => {
  return { policy, set, items, score, low, high, meanPromptTokens };
};

/** Called by the policy's label, and the policy's name. */
interface Known {
  row: Score;
  name: string;
}

const RESULTS = 8192;
const RUNS = 512;

const byPlace = ({ row: a }: Known, { row: b }: Known) =>
  placeOf(a.policy) - placeOf(b.policy) || a.meanPromptTokens - b.meanPromptTokens;

/** Results never change: each is read once. */
export class Scores {
  readonly #known = new Recent<Known>(RESULTS);
  readonly #finished = new Recent<Score[]>(RUNS);

  constructor(private readonly store: Store) {}

  /**
   * Policies in the order in which the run comes to them, and of each its sets from the shortest prompts on.
   * @param problem told of each result that cannot be read; the others are given
   */
  async of(run: string, problem: (message: string) => void): Promise<Score[]> {
    return this.#read(run, await this.#files(run), problem);
  }

  /** Of the policy evaluated last: of a finished run its result says that. */
  async last(run: string, isDone: boolean, problem: (message: string) => void): Promise<Score[]> {
    const known = this.#finished.get(run);
    if (isDone && known) return known;
    const rows = (isDone ? await this.#ofResult(run, problem) : null) ?? (await this.#ofLabel(run, problem));
    const last = rows.at(-1)?.policy;
    const scores = rows.filter(({ policy }) => policy === last);
    if (isDone) this.#finished.set(run, scores);
    return scores;
  }

  async #ofResult(run: string, problem: (message: string) => void): Promise<Score[] | null> {
    try {
      const ref = await this.store.find(resultUri(run));
      if (!ref) return null;
      const { evaluations } = await readJson<CurriculumResult>(this.store, ref);
      const [last] = evaluations.slice(-1);
      return evaluations
        .filter(({ policy }) => policy === last?.policy)
        .map(row => scoreOf(row.policy, row))
        .sort((a, b) => a.meanPromptTokens - b.meanPromptTokens);
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  }

  async #ofLabel(run: string, problem: (message: string) => void): Promise<Score[]> {
    const files = await this.#files(run);
    const labelOf = (file: string) => evaluationNamed(file)!.label;
    const last = files
      .map(labelOf)
      .sort((a, b) => placeOf(a) - placeOf(b))
      .at(-1);
    return this.#read(
      run,
      files.filter(file => labelOf(file) === last),
      problem,
    );
  }

  async #files(run: string): Promise<string[]> {
    return (await this.store.list(storeUri('runs', run, 'evaluations'))).filter(evaluationNamed);
  }

  async #read(run: string, files: readonly string[], problem: (message: string) => void): Promise<Score[]> {
    const found: Known[] = [];
    for (const file of files) {
      const known = await this.#at(storeUri('runs', run, 'evaluations', file), problem);
      if (known) found.push(known);
    }
    found.sort(byPlace);
    const isShared = (label: string) =>
      new Set(found.filter(({ row }) => row.policy === label).map(({ name }) => name)).size > 1;
    return found.map(({ row, name }) =>
      isShared(row.policy) ? { ...row, policy: `${row.policy}@${name.slice(0, 8)}` } : row,
    );
  }

  async #at(uri: string, problem: (message: string) => void): Promise<Known | null> {
    const known = this.#known.get(uri);
    if (known) return known;
    try {
      const ref = await this.store.find(uri);
      if (!ref) return null;
      const { label, policy: name, row } = await readJson<EvaluationResult>(this.store, ref);
      return this.#known.set(uri, { name, row: scoreOf(label, row) });
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  }
}
