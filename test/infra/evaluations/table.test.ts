/** The table from a store: evaluations by the activities that make them, and a run's own. */
import { join } from 'node:path';
import type { BenchmarkName } from '../../../activities/benchmarks/benchmarks.js';
import type { Table } from '../../../activities/benchmarks/table/shown-table.js';
import { createActivities } from '../../../activities/index.js';
import { modelsTable, type TableOptions } from '../../../infra/evaluations/table.js';
import { driveRun } from '../../support/drive.js';
import { smallEvaluation } from '../../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  small = await smallRun();
  activities = createActivities(small.deps);
  const source = { type: 'jsonl', path: join(small.folder, 'data.jsonl') };
  const sets = (limit: number, ...names: BenchmarkName[]) => ({
    benchmarks: names.map(name => ({ name, source, limit })),
  });
  await evaluate('trial/good', sets(30, 'hotpotqa', 'musique'));
  small.engine.monotonous = true;
  await evaluate('trial/bad', sets(30, 'hotpotqa', 'musique'));
  await evaluate('trial/shorter', sets(20, 'hotpotqa'));
  small.engine.monotonous = false;
  const own = {
    benchmarks: [
      { name: 'near', source, limit: 10 },
      { name: 'far', source, limit: 20 },
    ],
  };
  await evaluate('own/model', own);
  await evaluateOwn();
});
afterAll(() => small.remove());

async function evaluate(workflowId: string, over: Record<string, unknown>): Promise<void> {
  const input = smallEvaluation(small, over);
  const { plan, sets } = await small.run(activities.prepareEvaluation, {
    start: { workflowId, schedule: null },
    input,
  });
  const results: string[] = [];
  for (const { name: set } of sets) {
    const responses = await small.run(activities.evaluate, { plan, set });
    results.push((await small.run(activities.scoreEvaluation, { plan, set, responses })).uri);
  }
  await small.run(activities.concludeEvaluation, { plan, results });
}

/** As a run evaluates its base and its final policy. */
async function evaluateOwn(): Promise<void> {
  const { base, final } = await driveRun(small, 'learner');
  const spec = (await small.store.find('store:runs/learner/spec.json'))!;
  const data = (await small.store.find('store:runs/learner/data/set-held-out.jsonl'))!;
  for (const [label, policy] of Object.entries({ final, base })) {
    const input = { run: 'learner', spec, policy, label, set: { name: 'held-out', data } };
    const responses = await small.run(activities.evaluate, input);
    await small.run(activities.scoreEvaluation, { ...input, responses });
  }
}

const tableOf = async (names: string[], options: Partial<TableOptions> = {}): Promise<Table> =>
  JSON.parse(await modelsTable(small.store, { names, format: 'json', ...options })) as Table;
const rowOf = ({ rows }: Table, label: string) => rows.find(row => row.label === label)!;

test('models on the same items are compared item by item, those on others are not, and it says so', async () => {
  const table = await tableOf(['trial'], { baseline: 'good' });
  expect(table.columns.map(({ title }) => title)).toEqual(['HotpotQA', 'MuSiQue']);
  const comparison = rowOf(table, 'bad').cells[0]!.comparison!;
  expect(comparison).toMatchObject({ kind: 'paired', items: 30, withinNoise: false });
  expect(comparison.difference).toBeCloseTo(-rowOf(table, 'good').cells[0]!.score);
  expect(rowOf(table, 'bad').mean!.comparison).toMatchObject({ kind: 'paired', items: 60 });
  expect(rowOf(table, 'shorter').cells).toMatchObject([{ comparison: { kind: 'unpaired' } }, null]);
  expect(table.notes.join('\n')).toContain(
    'Compared as independent samples, the items being others or not known: shorter.',
  );
});

test('the first row is the baseline unless another is given; one that is not there is refused', async () => {
  const table = await tableOf(['trial']);
  expect(table.rows.find(({ baseline }) => baseline)!.label).toBe('bad');
  await expect(tableOf(['trial'], { baseline: 'nobody' })).rejects.toThrow('expected the label of a row: bad, good');
});

test('published rows stand beside measured ones, marked, and are compared as what they are', async () => {
  const table = await tableOf(['trial'], { published: true, baseline: 'good' });
  const published = rowOf(table, 'OpenAI-o3-mini');
  expect(published).toMatchObject({ kind: 'published', mean: { score: 70.4 } });
  expect(published.cells.find(cell => cell?.comparison)?.comparison).toMatchObject({ kind: 'unpaired' });
  const text = await modelsTable(small.store, { names: ['trial'], published: true, format: 'text' });
  expect(text).toMatch(/^OpenAI-o3-mini †/m);
});

test('rows of the later protocol have a mark of their own, no interval, no mean, and are compared with none', async () => {
  const table = await tableOf(['trial'], { later: true, baseline: 'good' });
  const row = rowOf(table, 'GPT-5');
  expect(row).toMatchObject({ kind: 'published', protocol: 'later', mean: null });
  const cells = row.cells.filter(cell => cell !== null);
  expect(cells.map(({ comparison, low }) => [comparison, low])).toEqual(Array(6).fill([null, null]));
  expect(table.columns.map(({ title }) => title)).toEqual(
    expect.arrayContaining(['DocMath', 'Frames', 'LBV1-QA', 'LongBench v2', 'MRCR', 'CorpusQA']),
  );
  for (const format of ['text', 'markdown'] as const) {
    const text = await modelsTable(small.store, { names: ['trial'], later: true, format });
    expect(text).toMatch(/GPT-5 § .*67\.6 /);
    expect(text).toContain('by a later protocol');
    expect(text).not.toContain('NaN');
  }
  const csv = await modelsTable(small.store, { names: ['trial'], later: true, format: 'csv' });
  expect(csv).toMatch(/^GPT-5,published,mrcr,reward,77\.3,,,,0,1,/m);
  await expect(tableOf(['trial'], { later: true, baseline: 'GPT-5' })).rejects.toThrow('expected the label of a row');
});

test('a run’s own evaluations are rows, in the order in which it came to them, paired', async () => {
  const table = await tableOf(['learner']);
  expect(table.rows.map(({ label }) => label)).toEqual(['base', 'final']);
  expect(table.columns).toEqual([{ benchmark: 'held-out', title: 'held-out' }]);
  expect(rowOf(table, 'final').cells[0]!.comparison).toMatchObject({ kind: 'paired', items: 5 });
});

test('sets that are no benchmark have columns of their own', async () => {
  const table = await tableOf(['own']);
  expect(table.columns.map(({ benchmark }) => benchmark)).toEqual(['near', 'far']);
  expect(rowOf(table, 'model').cells.map(cell => cell!.items)).toEqual([10, 20]);
});

test('without names it is everything there is; a name that is not there is refused', async () => {
  expect((await tableOf([])).rows.map(({ label }) => label)).toEqual([
    'model',
    'bad',
    'good',
    'shorter',
    'base',
    'final',
  ]);
  await expect(tableOf(['nothing'])).rejects.toThrow('no finished evaluation of "nothing"; it has learner, own, trial');
});

test('official metrics are compared as well', async () => {
  const table = await tableOf(['trial'], { metric: 'official', baseline: 'good' });
  expect(rowOf(table, 'bad').cells[0]).toMatchObject({
    metric: 'f1',
    comparison: { metric: 'official', kind: 'paired' },
  });
  const csv = await modelsTable(small.store, { names: ['trial'], metric: 'official', baseline: 'good', format: 'csv' });
  expect(csv).toMatch(/^bad,measured,hotpotqa,f1,0,/m);
});
