/** Two firings of a schedule side by side: called as the page calls them. */
import { createActivities } from '../../../activities/index.js';
import { Differences } from '../../../infra/ui/differences.js';
import { namedEvaluation } from '../../../infra/ui/evaluations.js';
import { itemsPage } from '../../../infra/ui/items.js';
import { smallEvaluation } from '../../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeAll(async () => {
  small = await smallRun();
  const activities = createActivities(small.deps);
  for (const [night, isMonotonous] of [
    ['2026-01-01T03:00:00Z', false],
    ['2026-01-02T03:00:00Z', true],
  ] as const) {
    small.engine.monotonous = isMonotonous;
    const start = { workflowId: `nightly-${night}`, schedule: 'nightly', firedAt: night };
    const { plan, sets } = await small.run(activities.prepareEvaluation, { start, input: smallEvaluation(small, {}) });
    const results: string[] = [];
    for (const { name: set } of sets) {
      const responses = await small.run(activities.evaluate, { plan, set });
      results.push((await small.run(activities.scoreEvaluation, { plan, set, responses })).uri);
    }
    await small.run(activities.concludeEvaluation, { plan, results });
  }
});
afterAll(() => small.remove());

test('by the labels of the page: how much better one is, and item by item', async () => {
  const { rows } = await namedEvaluation(small.store, 'nightly');
  const [before, after] = [...new Set(rows.map(({ policy }) => policy))] as [string, string];
  expect(after).toMatch(/, 2026-01-02/);
  const scoreOf = (label: string) => rows.find(({ policy }) => policy === label)!.score;
  const { comparisons } = await new Differences(small.store).ofModels('nightly', before, after);
  expect(comparisons[0]).toMatchObject({ kind: 'paired', items: 30 });
  expect(comparisons[0]!.difference).toBeCloseTo(scoreOf(after) - scoreOf(before));
  expect(comparisons[0]!.difference).toBeLessThan(0);
  const wanted = { set: rows[0]!.set, a: before, b: after, item: null };
  const { items } = (await itemsPage(small.store, { name: 'nightly' }, wanted)) as { items: { outcome: string }[] };
  expect(items.filter(({ outcome }) => outcome === 'lost').length).toBeGreaterThan(0);
});

test('one that is not there is refused by name', async () => {
  const differences = new Differences(small.store);
  await expect(differences.ofModels('nightly', 'nobody', 'nobody')).rejects.toThrow(/"nobody" is none of .*2026-01-01/);
});
