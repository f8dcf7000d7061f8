/** The pages of evaluations: of a run's own policies, and of those that belong to no run, schedules with their history. */
import { type EvaluationRecord, recordsOf } from '../../activities/evaluation/index.js';
import { type Store, storeUri } from '../../activities/store/index.js';
import { isDamage, NotThereError } from './errors.js';
import type { Score, Scores } from './scores.js';

export async function runEvaluations(scores: Scores, run: string) {
  const problems: string[] = [];
  const rows = await scores.of(run, message => void problems.push(message));
  return { name: run, run, rows, history: [], problems };
}

export async function namedEvaluation(store: Store, name: string) {
  const records = await recordsOf(store, name);
  if (records.length === 0) throw new NotThereError(`The store has no finished evaluation "${name}".`);
  const labelOf = uniqueLabels(records.map(({ record }) => record));
  const rows = records.flatMap(({ record }): Score[] =>
    record.sets.map(({ row: { set, items, score, low, high, meanPromptTokens } }) => {
      return { policy: labelOf(record), set, items, score, low, high, meanPromptTokens };
    }),
  );
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

/** Firings of a schedule are called alike. */
function uniqueLabels(records: readonly EvaluationRecord[]) {
  const labels = records.map(({ label }) => label);
  return ({ label, firing }: EvaluationRecord) =>
    firing !== null && labels.filter(one => one === label).length > 1 ? `${label}, ${firing}` : label;
}

/** All that the store has, by name: the last rows of each. */
export async function evaluationsPage(store: Store) {
  const names = await store.list(storeUri('evaluations'));
  const evaluations = [];
  const problems: string[] = [];
  for (const name of names) {
    try {
      const records = (await recordsOf(store, name)).map(({ record }) => record);
      const last = records.at(-1);
      if (!last) continue;
      const isSchedule = last.schedule !== null;
      const labelOf = uniqueLabels(records);
      evaluations.push({
        name,
        isSchedule,
        count: records.length,
        regressions: records.filter(({ regression }) => regression).length,
        isRegression: last.regression,
        rows: (isSchedule ? [last] : records).flatMap(record =>
          record.sets.map(({ row: { set, items, score, low, high, meanPromptTokens } }) => ({
            ...{ policy: labelOf(record), set, items, score, low, high, meanPromptTokens },
          })),
        ),
      });
    } catch (error) {
      if (!isDamage(error)) throw error;
      problems.push(error.message);
    }
  }
  const runs = await store.list(storeUri('runs'));
  return { evaluations, runs, problems };
}
