/** The pages of evaluations: of a run's own policies, and of those that belong to no run, schedules with their history. */
import { type Store, storeUri } from '../../activities/store/index.js';
import { isDamage, NotThereError } from './errors.js';
import { type LabelledRecord, labelledRecords } from './firings.js';
import { type Score, type Scores, scoreOf } from './scores.js';

export async function runEvaluations(scores: Scores, run: string) {
  const problems: string[] = [];
  const rows = await scores.of(run, message => void problems.push(message));
  return { name: run, run, rows, history: [], problems };
}

export async function namedEvaluation(store: Store, name: string) {
  const records = await labelledRecords(store, name);
  if (records.length === 0) throw new NotThereError(`The store has no finished evaluation "${name}".`);
  const rows = records.flatMap(scoresOf);
  const history = records
    .map(({ record }) => record)
    .filter(({ schedule }) => schedule !== null)
    .map(({ firing, label, sets, before, regression }) => ({
      firing,
      label,
      regression,
      sets: sets.map(({ name: set, row: { score, low, high } }) => ({ set, score, low, high })),
      comparisons: before?.comparisons ?? [],
    }));
  return { name, run: null, rows, history, problems: [] };
}

const scoresOf = ({ label, record }: LabelledRecord): Score[] => record.sets.map(({ row }) => scoreOf(label, row));

/** All that the store has, by name: the last rows of each. */
export async function evaluationsPage(store: Store) {
  const names = await store.list(storeUri('evaluations'));
  const evaluations = [];
  const problems: string[] = [];
  for (const name of names) {
    try {
      const records = await labelledRecords(store, name);
      const last = records.at(-1);
      if (!last) continue;
      const isSchedule = last.record.schedule !== null;
      evaluations.push({
        name,
        isSchedule,
        count: records.length,
        regressions: records.filter(({ record }) => record.regression).length,
        isRegression: last.record.regression,
        rows: (isSchedule ? [last] : records).flatMap(scoresOf),
      });
    } catch (error) {
      if (!isDamage(error)) throw error;
      problems.push(error.message);
    }
  }
  const runs = await store.list(storeUri('runs'));
  return { evaluations, runs, problems };
}
