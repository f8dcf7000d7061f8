/** The profiler on the real engine. */
import { join } from 'node:path';
import { profileRow } from '../../../../infra/bench/profile/run';
import { UserError } from '../../../../infra/user-error';

const options = {
  turns: 2,
  threads: 1,
  given: { smollm2: undefined, questions: undefined },
  byShapes: true,
  program: join(__dirname, '../../../../dist/infra/bench/profile/child.js'),
};

test('a training step is made of its products, which are counted', async () => {
  const work = { kind: 'training', model: '128x2', batch: 2, length: 64 } as const;
  const { operators, seconds, wall } = await profileRow({ id: 'small', work }, options);
  // Gate and up of two layers, forward: 128 tokens.
  const widening = operators.find(({ operator, shapes }) => operator === 'Gemm' && shapes === '128x128, 344x128')!;
  expect(widening.calls).toBe(options.turns * 2 * 2);
  expect(widening.flops / widening.calls).toBe(2 * 128 * 128 * 344);
  const inOperators = operators.reduce((sum, operator) => sum + operator.seconds, 0);
  expect(inOperators).toBeLessThan(seconds);
  expect(seconds).toBeLessThan(wall);
});

test('a whole run is refused: it has no engine of its own', async () => {
  const whole = { kind: 'run', preset: 'tiny', set: () => [] } as const;
  await expect(profileRow({ id: 'run-tiny', work: whole }, options)).rejects.toThrow(UserError);
});
