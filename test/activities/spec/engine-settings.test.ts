/** Which engine a spec names, and what of it is refused by path. */
import { adapterOf, servedModel } from '../../../activities/spec/engine-settings.js';
import { InvalidSpecError } from '../../../activities/spec/spec-issues.js';
import { validateSpec } from '../../../activities/spec/validate-spec.js';
import { smallSpec } from '../../support/small-run.js';

const written = (engine: object, more: object = {}) => ({
  ...smallSpec('/data'),
  model: 'hf:Qwen/Qwen3-8B@main',
  engine,
  ...more,
});

function issues(engine: object, more: object = {}): Record<string, string> {
  try {
    validateSpec(written(engine, more));
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return Object.fromEntries(error.issues.map(({ path, problem }) => [path, problem]));
  }
  return {};
}

test('a run that the workers train says nothing of engines, whether that was written or not', () => {
  expect(validateSpec(written({ kind: 'onnx' })).engine).toEqual({ microBatchTokens: 16384 });
  expect(JSON.stringify(validateSpec(written({ kind: 'onnx' })))).toBe(JSON.stringify(validateSpec(written({}))));
});

test('of a training service all is filled in: the model by its own name, an adapter, and the temperature that it trains at', () => {
  const spec = validateSpec(written({ kind: 'tinker' }));
  expect(spec.engine).toEqual({
    kind: 'tinker',
    model: 'Qwen/Qwen3-8B',
    lora: { rank: 16, alpha: 32 },
    microBatchTokens: 16384,
  });
  expect(
    [spec.rl, ...spec.phases.map(({ rl }) => rl), spec.evaluation].map(({ sampling }) => sampling.temperature),
  ).toEqual([1, 1, 1, 1]);
  expect(validateSpec(spec)).toEqual(spec);
  expect(servedModel(spec)).toBe('Qwen/Qwen3-8B');
  expect(adapterOf(spec)).toEqual({ rank: 16, alpha: 32, targetModules: 'all-linear', rslora: false });
});

test('the service may call the model otherwise', () => {
  const engine = { kind: 'tinker', model: '/models/qwen', lora: { rank: 8 } };
  expect(validateSpec(written(engine)).engine).toMatchObject({ model: '/models/qwen', lora: { rank: 8, alpha: 32 } });
});

test.each<[string, object, object, string, string]>([
  ['another kind', { kind: 'tinkr' }, {}, 'engine.kind', 'did you mean "tinker"?'],
  ['an adapter at its other place', { kind: 'tinker' }, { lora: { rank: 4 } }, 'lora', 'the adapter is engine.lora'],
  ['full training', { kind: 'tinker', lora: null }, {}, 'engine.lora', 'expected a block of fields, found null'],
  ['no rank', { kind: 'tinker', lora: { rank: 0 } }, {}, 'engine.lora.rank', 'expected'],
  ['an address, which is the workers’ affair', { kind: 'tinker', url: 'http://x' }, {}, 'engine.url', 'unknown field'],
  [
    'a served model without a service',
    { model: 'Qwen/Qwen3-8B' },
    {},
    'engine.model',
    'it is for engine.kind "tinker"',
  ],
  ['a served adapter without a service', { lora: { rank: 4 } }, {}, 'engine.lora', 'that the workers train is lora'],
  [
    'another temperature',
    { kind: 'tinker' },
    { rl: { sampling: { temperature: 0.7 } } },
    'rl.sampling.temperature',
    'expected 1, found 0.7',
  ],
  [
    'another temperature in a phase',
    { kind: 'tinker' },
    { phases: [{ maxTokens: 40, steps: 1, rl: { sampling: { temperature: 0.5 } } }] },
    'phases[0].rl.sampling.temperature',
    'expected 1, found 0.5',
  ],
  [
    'overlap without a service',
    {},
    { rl: { overlap: true, importanceCap: 2 } },
    'rl.overlap',
    'workers that train by themselves sample on the same processor',
  ],
  ['overlap without a cap', { kind: 'tinker' }, { rl: { overlap: true } }, 'rl.importanceCap', 'expected a number'],
  [
    'overlap in a phase without a cap',
    { kind: 'tinker' },
    { rl: { importanceCap: 2 }, phases: [{ maxTokens: 40, steps: 1, rl: { overlap: true, importanceCap: null } }] },
    'phases[0].rl.importanceCap',
    'beside overlap',
  ],
])('refuses %s', (_what, engine, more, path, problem) => {
  expect(issues(engine, more)).toEqual({ [path]: expect.stringContaining(problem) });
});

test('overlap is in a spec only where it is asked for, and a phase may leave it out', () => {
  expect(JSON.stringify(validateSpec(written({ kind: 'tinker' })))).not.toContain('overlap"');
  const phases = [
    { maxTokens: 40, steps: 1 },
    { maxTokens: 60, steps: 1, rl: { overlap: false } },
  ];
  const spec = validateSpec(written({ kind: 'tinker' }, { rl: { overlap: true, importanceCap: 2 }, phases }));
  expect(spec.phases.map(({ rl }) => rl.overlap)).toEqual([true, false]);
});

test('an evaluation may be greedy there', () => {
  const { evaluation } = smallSpec('/data');
  const spec = validateSpec(
    written({ kind: 'tinker' }, { evaluation: { ...evaluation, sampling: { temperature: 0 } } }),
  );
  expect(spec.evaluation.sampling.temperature).toBe(0);
});
