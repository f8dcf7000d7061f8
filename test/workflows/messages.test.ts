import { isDue, reportsOf } from '../../workflows/messages';

/** The steps of a stage that are reported, each taking so many seconds. */
function reported(steps: number, seconds: number, block = 1): number[] {
  const sent: number[] = [];
  for (let before = 0; before < steps; before += block) {
    const step = Math.min(before + block, steps);
    if (isDue({ step, steps }, before, reportsOf({ steps, seconds }))) sent.push(step);
  }
  return sent;
}

test('quick steps are reported every two seconds', () => {
  expect(reported(12, 0.5)).toEqual([4, 8, 12]);
  expect(reported(8, 0.5, 2)).toEqual([4, 8]);
});

test('slow ones each, long stages fifty times', () => {
  expect(reported(5, 30)).toEqual([1, 2, 3, 4, 5]);
  expect(reported(10_000, 30)).toHaveLength(50);
});

test('the last step always is', () => {
  for (const seconds of [0, 0.001, 0.7, 3, 100]) {
    for (const steps of [1, 7, 75, 1000]) expect(reported(steps, seconds, 3).at(-1)).toBe(steps);
  }
});
