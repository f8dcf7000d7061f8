import { METRICS, type Metric } from '../../../activities/telemetry/metrics';
import { type Meters, openMeters, RUNS_KEPT } from '../../../activities/telemetry/registry';
import { parseExposition, sampleOf } from '../../support/exposition';

const ENTRIES = Object.entries<Metric>(METRICS);

let meters: Meters;
beforeEach(async () => {
  meters = await openMeters();
});

const page = async () => parseExposition(await meters.text());

test.each(ENTRIES)("%s is named by Prometheus' conventions", (name, { type, buckets, help, labels }) => {
  expect(name).toMatch(/^longhaul_[a-z][a-z_]*[a-z]$/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  expect(name).not.toMatch(/milli|minutes|hours|kilo|mega|percent|_ms$/);
  if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  expect(buckets !== undefined).toBe(type === 'histogram');
  expect(help).toMatch(/^[A-Z0-9].*\.$/);
  for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+$/);
});

test('what has happened never is there as 0, so that a rate sees the first', async () => {
  const families = await page();
  for (const [name, { type, labels }] of ENTRIES) {
    const isOpen = Object.values(labels).includes('newest');
    const expected = isOpen || type === 'gauge' ? 0 : Object.values(labels).reduce((n, values) => n * values.length, 1);
    const samples = families.get(name)!.samples.filter(one => !/_(bucket|sum)$/.test(one.name) || type !== 'histogram');
    if (type !== 'gauge') expect({ name, samples: samples.length }).toEqual({ name, samples: expected });
    expect(samples.every(({ value }) => value === 0)).toBe(true);
  }
});

test("the page is valid whatever a run's name is, and comes to what was recorded", async () => {
  const run = 'a "quoted" \\ name\nover two lines';
  meters.record('longhaul_reward_mean', { run, stage: 'phase-1' }, -0.25);
  meters.record('longhaul_step_part_seconds', { part: 'rollout' }, 0.3);
  meters.record('longhaul_step_part_seconds', { part: 'rollout' }, 7200);
  const families = await page();
  expect(families.get('longhaul_reward_mean')!.samples).toEqual([
    { name: 'longhaul_reward_mean', labels: { run, stage: 'phase-1' }, value: -0.25 },
  ]);
  const part = (name: string, le?: string) =>
    sampleOf(families, `longhaul_step_part_seconds_${name}`, { part: 'rollout', ...(le && { le }) });
  expect([part('count'), part('sum'), part('bucket', '0.5'), part('bucket', '3600'), part('bucket', '+Inf')]).toEqual([
    2, 7200.3, 1, 1, 2,
  ]);
  expect(families.has('process_resident_memory_bytes')).toBe(true);
});

test('what is no number is left out, and what cannot be recorded fails nobody', async () => {
  meters.record('longhaul_loss', { run: 'r', stage: 's' }, Number.NaN);
  meters.record('longhaul_loss', { run: 'r', stage: 's' }, Number.POSITIVE_INFINITY);
  meters.record('longhaul_judge_calls_total', {}, -1);
  const families = await page();
  expect(families.get('longhaul_loss')!.samples).toEqual([]);
  expect(sampleOf(families, 'longhaul_judge_calls_total')).toBe(0);
});

test('the newest runs are kept, in all their series, and the oldest go', async () => {
  const seen = (k: number) => {
    meters.record('longhaul_last_step', { run: `run-${k}`, stage: 'phase-1' }, k);
    meters.record('longhaul_groups_total', { run: `run-${k}`, stage: 'phase-1', outcome: 'effective' }, 1);
  };
  for (let k = 0; k < RUNS_KEPT; k++) seen(k);
  seen(0); // heard of again: run-1 is now the oldest
  seen(RUNS_KEPT);
  const families = await page();
  const runs = (name: string) =>
    families
      .get(name)!
      .samples.map(({ labels }) => labels.run)
      .sort();
  const kept = Array.from({ length: RUNS_KEPT + 1 }, (_, k) => `run-${k}`).filter(name => name !== 'run-1');
  expect(runs('longhaul_last_step')).toEqual(kept);
  expect(runs('longhaul_groups_total')).toEqual(kept);
});

test('what is asked at a scrape is shown as it is then, and nothing where nobody answers', async () => {
  let answer: Promise<number | null> = Promise.resolve(3);
  meters.ask('longhaul_open_runs', () => answer);
  const open = async () => sampleOf(await page(), 'longhaul_open_runs');
  expect(await open()).toBe(3);
  answer = Promise.reject(new Error('the server is away'));
  answer.catch(() => {});
  expect(await open()).toBeUndefined();
  answer = Promise.resolve(0);
  expect(await open()).toBe(0);
  answer = Promise.resolve(null);
  expect(await open()).toBeUndefined();
});
