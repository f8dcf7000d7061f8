/** How much better one policy is than another, and how sure that is: thousands of resamplings, so asked for by itself. */
import type { Comparison } from '../../activities/contract/index.js';
import { compareRows } from '../../activities/evaluation/index.js';
import { hashOf, type Store } from '../../activities/store/index.js';
import { type MeasuredRow, measuredRows, rowOfRecord } from '../evaluations/rows.js';
import { UserError } from '../user-error.js';
import { BadRequestError, isDamage } from './errors.js';
import { labelledRecords } from './firings.js';
import { Recent } from './recent.js';

const KEPT = 64;

export class Differences {
  readonly #known = new Recent<Comparison[]>(KEPT);

  constructor(private readonly store: Store) {}

  /** b minus a, set by set and over all: two policies of a run. */
  async ofPolicies(run: string, a: string, b: string) {
    return this.#ofPair(await measuredRows(this.store, [run]), a, b, `${run}/`);
  }

  /** The same of two models of an evaluation, or of two firings of a schedule. */
  async ofModels(name: string, a: string, b: string) {
    const records = await labelledRecords(this.store, name);
    const rows = records.map(({ label, record }) => ({ ...rowOfRecord(record), label }));
    return this.#ofPair(rows, a, b);
  }

  /** @param before what labels may begin with that were not told apart otherwise */
  #ofPair(rows: readonly MeasuredRow[], a: string, b: string, before = '') {
    const rowOf = (wanted: string) => {
      const row = rows.find(({ label }) => label === wanted || label === before + wanted);
      if (row) return row;
      throw new BadRequestError(`"${wanted}" is none of ${rows.map(one => one.label).join(', ')}.`);
    };
    return { comparisons: this.#of(rowOf(b), rowOf(a)), problems: [] };
  }

  /** The last policy of each run, and all but the first against that of the first. */
  async ofRuns(runs: readonly string[]) {
    const problems: string[] = [];
    const rows: { run: string; row: MeasuredRow }[] = [];
    for (const run of runs) {
      try {
        const row = (await measuredRows(this.store, [run])).at(-1);
        if (row) rows.push({ run, row });
      } catch (error) {
        if (isDamage(error)) problems.push(error.message);
        // A run of which nothing is evaluated yet.
        else if (!(error instanceof UserError)) throw error;
      }
    }
    const [baseline, ...others] = rows.map(({ run, row }) => ({ ...row, label: `${run}, ${row.label}` }));
    return {
      rows: rows.map(({ run, row: { label, sets } }) => ({
        run,
        policy: label,
        sets: sets.map(({ name, reward }) => ({ set: name, ...reward })),
      })),
      comparisons: baseline ? others.flatMap(other => this.#of(other, baseline)) : [],
      problems,
    };
  }

  #of(row: MeasuredRow, baseline: MeasuredRow): Comparison[] {
    const key = hashOf(
      [row, baseline].map(({ label, sets }) => [label, sets.map(({ name, items, scores }) => [name, items, scores])]),
    );
    return this.#known.of(key, () => compareRows(row, baseline, 'reward'));
  }
}
