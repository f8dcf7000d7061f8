/** The rows of a table from the store alone: evaluations by name, and what runs evaluated of their own policies. */
import {
  BENCHMARKS,
  type BenchmarkName,
  type ItemsSummary,
  summariseItems,
} from '../../activities/benchmarks/index.js';
import type { EvaluationRow } from '../../activities/contract/index.js';
import {
  type ComparedRow,
  type ComparedSet,
  comparedSet,
  type EvaluationRecord,
  type EvaluationResult,
  recordsOf,
  scoresOf,
} from '../../activities/evaluation/index.js';
import { outcomesOf, type RunPlan } from '../../activities/run/index.js';
import { evaluationNamed, planUri, readJson, type Store, storeUri } from '../../activities/store/index.js';
import { UserError } from '../user-error.js';

type AskedSets = RunPlan['data']['sets'];

/** A model with what it scored on each set. */
export interface MeasuredRow extends ComparedRow {
  sets: MeasuredSet[];
}

export interface MeasuredSet extends ComparedSet {
  metric: BenchmarkName;
  summary: ItemsSummary;
  unanswered: number;
}

/**
 * @param names evaluations, schedules or runs; all that the store has where none is given
 * @throws UserError for a name that the store has nothing of
 */
export async function measuredRows(store: Store, names: string[]): Promise<MeasuredRow[]> {
  const evaluations = await store.list(storeUri('evaluations'));
  const runs = await store.list(storeUri('runs'));
  const wanted = names.length > 0 ? names : [...new Set([...evaluations, ...runs])];
  const found: { name: string; rows: MeasuredRow[] }[] = [];
  for (const name of wanted) {
    const rows = [
      ...(evaluations.includes(name) ? await rowsOfEvaluation(store, name) : []),
      ...(runs.includes(name) ? await rowsOfRun(store, name) : []),
    ];
    if (rows.length > 0) found.push({ name, rows });
    else if (names.length > 0) throw new UserError(nothingOf(name, [...evaluations, ...runs]));
  }
  return uniquelyLabelled(found);
}

function nothingOf(name: string, there: string[]): string {
  const rest = there.length === 0 ? 'nothing yet' : [...new Set(there)].sort().join(', ');
  return (
    `The store has no finished evaluation of "${name}"; it has ${rest}. ` +
    'Is it another store (--store, LONGHAUL_STORE)?'
  );
}

/** Where models of several names are called alike, the name tells them apart. */
function uniquelyLabelled(found: { name: string; rows: MeasuredRow[] }[]): MeasuredRow[] {
  const labels = found.flatMap(({ rows }) => rows.map(({ label }) => label));
  const isShared = (label: string) => labels.filter(one => one === label).length > 1;
  return found.flatMap(({ name, rows }) =>
    rows.map(row => (isShared(row.label) ? { ...row, label: `${name}/${row.label}` } : row)),
  );
}

/** Of a schedule the last firing: the others are its history. */
async function rowsOfEvaluation(store: Store, name: string): Promise<MeasuredRow[]> {
  const records = (await recordsOf(store, name)).map(({ record }) => record);
  const last = records.filter(({ schedule }) => schedule !== null).at(-1);
  return [...records.filter(({ schedule }) => schedule === null), ...(last ? [last] : [])].map(rowOfRecord);
}

export function rowOfRecord({ label, sets }: EvaluationRecord): MeasuredRow {
  return {
    label,
    sets: sets.map(set => {
      const { score, low, high, items, unscored, meanAt, passAt, official, unanswered, shortened, memory } = set.row;
      const { sentTokens, answerTokens } = set.row;
      const read = memory && { memory: { ...memory, sentTokens, answerTokens } };
      const counts = { items, unscored, meanAt, ...(shortened && { shortened }), ...read };
      const summary = { score, low, high, ...counts, passAt, official };
      return { ...comparedSet(set), metric: set.metric, summary, unanswered };
    }),
  };
}

async function rowsOfRun(store: Store, run: string): Promise<MeasuredRow[]> {
  const folder = storeUri('runs', run, 'evaluations');
  const rows = new Map<string, { label: string; policy: string; sets: MeasuredSet[] }>();
  const asked = await askedBy(store, run);
  const own = (await store.list(folder)).filter(evaluationNamed).map(name => `${folder}/${name}`);
  for (const uri of [...own, ...(await takenResults(store, run))]) {
    const ref = await store.find(uri);
    const result = await readJson<EvaluationResult>(store, ref!);
    const key = `${result.label}.${result.policy}`;
    const row = rows.get(key) ?? { label: result.label, policy: result.policy, sets: [] };
    rows.set(key, row);
    row.sets.push(setOfRun(asked, result));
  }
  const all = [...rows.values()].sort((a, b) => placeOf(a.label) - placeOf(b.label));
  // A stage that was tried again has a policy for each attempt.
  const isShared = (label: string) => all.filter(row => row.label === label).length > 1;
  return all.map(({ label, policy, sets }) => ({
    label: isShared(label) ? `${label}@${policy.slice(0, 8)}` : label,
    sets,
  }));
}

/** Of a run of a study: where the results lie that another run made for it. */
async function takenResults(store: Store, run: string): Promise<string[]> {
  const taken = (await outcomesOf(store, run)).filter(({ of, name }) => of !== run && name.startsWith('evaluation.'));
  return taken.flatMap(({ result }) => (result as EvaluationRow[]).map(({ uri }) => uri));
}

/** The sets that a run asks, whose questions may lie in the run that it began with. */
async function askedBy(store: Store, run: string): Promise<AskedSets> {
  const ref = await store.find(planUri(run));
  return ref ? (await readJson<RunPlan>(store, ref)).data.sets : [];
}

function setOfRun(asked: AskedSets, result: EvaluationResult): MeasuredSet {
  const { set, items, metric = 'custom' } = result;
  const official = result.metric === undefined ? undefined : BENCHMARKS[metric].official[0];
  const { summary, unanswered } = { summary: summariseItems(items), unanswered: 0 };
  const estimate = official === undefined ? undefined : summary.official[official];
  const { score, low, high } = summary;
  return {
    name: set,
    metric,
    items: asked.find(({ name }) => name === set)?.data.sha256 ?? null,
    scores: scoresOf(items, official),
    reward: { score, low, high, items: summary.items },
    official: estimate ? { ...estimate, items: summary.items } : null,
    summary,
    unanswered,
  };
}

/** The order in which a run comes to the policies so labelled. */
export function placeOf(label: string): number {
  const fixed: Record<string, number> = { base: 0, sft: 1, final: Number.POSITIVE_INFINITY };
  return fixed[label] ?? 1 + Number(/^phase-(\d+)$/.exec(label)?.[1] ?? 0);
}
