/** The pages of studies: all that the store has, and one's report as it is by now. */

import { resultUri, type Store, storeUri } from '../../activities/store/index.js';
import { cellsOf, studyReport, type WrittenStudy, writtenStudies } from '../../activities/studies/index.js';
import { summaryOf, tablesOf } from '../studies/tables.js';
import { isDamage, NotThereError } from './errors.js';
import { Recent } from './recent.js';

/** Reports that are kept: to make one takes seconds, since its intervals are drawn. */
const REPORTS = 8;

type Page = Awaited<ReturnType<typeof pageOf>>;

export class Studies {
  readonly #pages = new Recent<{ of: string; page: Promise<Page> }>(REPORTS);

  constructor(private readonly store: Store) {}

  async all() {
    const studies = [];
    const problems: string[] = [];
    for (const name of await this.store.list(storeUri('studies'))) {
      try {
        const written = await this.#newest(name);
        if (!written) continue;
        const { variants, seeds, hypotheses } = written.spec;
        const ended = Object.values(await this.#ended(name, written)).filter(Boolean).length;
        const counts = { variants: variants.length, seeds: seeds.length, hypotheses: hypotheses.length };
        studies.push({ name, ...counts, ended, runs: variants.length * seeds.length });
      } catch (error) {
        if (!isDamage(error)) throw error;
        problems.push(error.message);
      }
    }
    return { studies, problems };
  }

  /** Made anew when another of its runs has ended. */
  async one(name: string): Promise<Page> {
    const written = await this.#newest(name);
    if (!written) throw new NotThereError(`The store has no study "${name}".`);
    const of = JSON.stringify([written.ref, await this.#ended(name, written)]);
    const kept = this.#pages.get(name);
    if (kept?.of === of) return kept.page;
    const page = pageOf(this.store, name, written);
    this.#pages.set(name, { of, page });
    page.catch(() => this.#pages.delete(name));
    return page;
  }

  /** A study grows: its newest spec is the largest. */
  async #newest(name: string): Promise<WrittenStudy | undefined> {
    return (await writtenStudies(this.store, name)).at(-1);
  }

  /** The hash of each run's result; null where it has not ended. */
  async #ended(name: string, { spec }: WrittenStudy): Promise<Record<string, string | null>> {
    const runs = cellsOf(name, spec).map(({ run }) => run);
    const found = await Promise.all(runs.map(run => this.store.find(resultUri(run))));
    return Object.fromEntries(runs.map((run, k) => [run, found[k]?.sha256 ?? null]));
  }
}

async function pageOf(store: Store, name: string, { ref }: WrittenStudy) {
  const report = await studyReport(store, name, ref);
  const { variants, missing, hypotheses, scores, curves, cells } = report;
  return {
    ...{ name, spec: ref, variants, missing, hypotheses, scores },
    summary: summaryOf(report),
    curves: curves.map(({ variant, reward, phases }) => ({ variant, values: reward.mean, phases })),
    tables: tablesOf(report),
    runs: cells.map(({ run, variant, seed, policy }) => ({ run, variant, seed, sha256: policy.sha256 })),
  };
}
