/** What the settings of a branch are: a run's own with others laid over them, as if they had stood in its spec. */
import { reachingPhases } from '../../../activities/run/branch';
import { validateSpec } from '../../../activities/spec/index';

const written = {
  model: 'm',
  data: [{ type: 'jsonl', path: 'd.jsonl' }],
  rl: { optimizer: { learningRate: 1e-5 }, sampling: { temperature: 0.7 } },
  phases: [
    { maxTokens: 100, steps: 1 },
    { maxTokens: 200, steps: 1, rl: { sampling: { temperature: 1.2 } } },
    { maxTokens: 300, steps: 1, rl: { kl: { coefficient: 0.1 } } },
  ],
};
/** As the store has it: every phase's settings spelled out. */
const stored = validateSpec(written);

const settingsOf = (overrides: Record<string, unknown>) => {
  const spec = validateSpec(stored, reachingPhases(stored, overrides));
  return [spec.rl, ...spec.phases.map(({ rl }) => rl)].map(
    ({ optimizer, sampling, kl }) => `${optimizer.learningRate} ${sampling.temperature} ${kl?.coefficient}`,
  );
};

test.each<[string, Record<string, unknown>, string[]]>([
  ['nothing', {}, ['0.00001 0.7 undefined', '0.00001 0.7 undefined', '0.00001 1.2 undefined', '0.00001 0.7 0.1']],
  [
    "the run's, which reach the phases but for what they have of their own",
    { 'rl.optimizer.learningRate': 0.5, 'rl.sampling.temperature': 1 },
    ['0.5 1 undefined', '0.5 1 undefined', '0.5 1.2 undefined', '0.5 1 0.1'],
  ],
  [
    "a phase's beside the run's",
    { 'phases.0.rl.sampling.temperature': 2, 'rl.sampling.temperature': 1 },
    ['0.00001 1 undefined', '0.00001 2 undefined', '0.00001 1.2 undefined', '0.00001 1 0.1'],
  ],
  [
    'a block, which no phase has otherwise',
    { 'rl.kl': { coefficient: 0.3 } },
    ['0.00001 0.7 0.3', '0.00001 0.7 0.3', '0.00001 1.2 0.3', '0.00001 0.7 0.1'],
  ],
  [
    'other phases, which have the settings of the run',
    { 'rl.sampling.temperature': 1, phases: [{ maxTokens: 50, steps: 1 }] },
    ['0.00001 1 undefined', '0.00001 1 undefined'],
  ],
])('%s', (_, overrides, expected) => {
  expect(settingsOf(overrides)).toEqual(expected);
});

test('an override of what there is not is refused by its own path', () => {
  expect(() => settingsOf({ 'rl.nonsense': 1 })).toThrow(/rl\.nonsense/);
});
