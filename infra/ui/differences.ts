/** How much better one policy is than another, and how sure that is: thousands of resamplings, so asked for by itself. */
import type { Comparison } from '../../activities/contract/index.js';
import { compareRows } from '../../activities/evaluation/index.js';
import { hashOf, type Store } from '../../activities/store/index.js';
import { type MeasuredRow, measuredRows } from '../evaluations/rows.js';
import { UserError } from '../user-error.js';
import { BadRequestError, isDamage } from './errors.js';
import { Recent } from './recent.js';

const KEPT = 64;

export class Differences {
  readonly #known = new Recent<Comparison[]>(KEPT);

  constructor(private readonly store: Store) {}

  /** b minus a, set by set and over all. @param name of a run or an evaluation */
  async ofPair(name: string, a: string, b: string) {
    const rows = await measuredRows(this.store, [name]);
    const rowOf = (label: string) => {
      const row = rows.find(one => one.label === label || one.label === `${name}/${label}`);
      if (row) return row;
      throw new BadRequestError(`"${label}" is none of ${rows.map(one => one.label).join(', ')}.`);
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
