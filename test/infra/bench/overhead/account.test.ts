import { account } from '../../../../infra/bench/overhead/account';
import type { Span } from '../../../../infra/bench/overhead/spans';

const span = (kind: Span['kind'], name: string, from: number, to: number): Span => ({ kind, name, from, to });

test('every moment of a run is somewhere, once', () => {
  const spans = [
    span('activity', 'rollout', 1000, 3000),
    span('engine', 'status', 1500, 1600),
    span('engine', 'generate', 1700, 2800),
    span('activity', 'score', 3100, 3300),
    span('activity', 'rollout', 3400, 4000),
    span('engine', 'generate', 3400, 4000),
  ];
  const { wall, busy, ending, activities } = account(spans, 0, 4500);
  expect(wall).toBe(4.5);
  expect(busy).toBeCloseTo(1.8);
  expect(ending).toBeCloseTo(0.5);
  const [rollout, score] = activities;
  expect(activities).toHaveLength(2);
  expect(rollout).toMatchObject({ activity: 'rollout', times: 2 });
  expect(rollout!.onTheWay).toBeCloseTo(1.1);
  expect(rollout!.before).toBeCloseTo(0.5);
  expect(rollout!.after).toBeCloseTo(0.3);
  expect(rollout!.busy).toBeCloseTo(1.8);
  expect(score!.onTheWay).toBeCloseTo(0.1);
  expect(score!.before).toBeCloseTo(0.2);
});

test('what runs beside the engine costs nothing', () => {
  const spans = [
    span('activity', 'evaluate', 0, 1000),
    span('engine', 'generate', 0, 1000),
    span('activity', 'scoreEvaluation', 200, 600),
    span('judge', 'reward', 300, 500),
  ];
  const { busy, activities } = account(spans, 0, 1000);
  expect(busy).toBeCloseTo(1);
  for (const { onTheWay, before, after } of activities) expect(onTheWay + before + after).toBe(0);
});

test('two that work at once are counted once, and the judge like the engine', () => {
  const spans = [
    span('activity', 'score', 0, 1000),
    span('judge', 'reward', 100, 700),
    span('judge', 'reward', 400, 900),
  ];
  const { busy, activities } = account(spans, 0, 1000);
  expect(busy).toBeCloseTo(0.8);
  expect(activities[0]!.before).toBeCloseTo(0.1);
  expect(activities[0]!.after).toBeCloseTo(0.1);
});
