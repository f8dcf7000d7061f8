import { metricOf } from '../../../activities/evaluation/items.js';
import { defaultLabel, inputLimit, validateEvaluation } from '../../../activities/spec/evaluation-spec.js';
import { InvalidSpecError } from '../../../activities/spec/spec-issues.js';

const source = { type: 'jsonl', path: 'data.jsonl' };
const spec = (over: Record<string, unknown> = {}) => ({
  model: { folder: '/models/tiny' },
  benchmarks: [{ name: 'questions', source }],
  ...over,
});

function issues(input: unknown): Record<string, string> {
  try {
    validateEvaluation(input);
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    expect(error.message).toMatch(/^The evaluation spec has /);
    return Object.fromEntries(error.issues.map(({ path, problem }) => [path, problem]));
  }
  return {};
}

test('the defaults are the paper’s', () => {
  const { sampling, samples, passAt, prompt, reward } = validateEvaluation(spec());
  expect(sampling).toEqual({ temperature: 0.7, topP: 0.95, topK: 0, maxNewTokens: 10_000 });
  expect({ samples, passAt }).toEqual({ samples: 1, passAt: [] });
  expect(prompt.template).toMatch(/^Please read the following text and answer the question below\./);
  expect(reward.scorer).toBe('hardened');
});

test('validating what was validated changes nothing', () => {
  const once = validateEvaluation(spec({ label: 'x', passAt: [1], maxInputTokens: 9 }));
  expect(validateEvaluation(once)).toEqual(once);
});

test('every wrong path is named, with what was expected', () => {
  const wrong = issues({
    model: { run: 'a', folder: 'b', policy: 'best' },
    benchmarks: [{ name: 'a/b', source: { type: 'nothing' }, limit: 0 }],
    samples: 0,
    colour: 'blue',
  });
  expect(Object.keys(wrong).sort()).toEqual([
    'benchmarks[0].limit',
    'benchmarks[0].name',
    'benchmarks[0].source.type',
    'colour',
    'model',
    'model.policy',
    'samples',
  ]);
  expect(wrong['model.policy']).toContain('expected "newest", "final", "base" or the name of a policy');
});

test.each([
  ['no model', {}, 'model', 'exactly one of "run", "folder" and "remote"'],
  ['two models', { run: 'a', folder: 'b' }, 'model', 'exactly one'],
  ['a policy of no run', { folder: 'b', policy: 'base' }, 'model.policy', 'only a run has policies'],
])('%s is refused', (_, model, path, problem) => {
  expect(issues(spec({ model }))[path]).toContain(problem);
});

test('what contradicts itself is refused', () => {
  const twice = { benchmarks: [...spec().benchmarks, ...spec().benchmarks], samples: 2, passAt: [1, 4] };
  expect(issues(spec(twice))).toEqual({
    'benchmarks[1].name': 'expected a name of its own, found "questions" a second time',
    'passAt[1]': 'expected at most samples (2), found 4',
  });
  expect(issues(spec({ label: 'items' }))).toHaveProperty('label');
});

test('a contradiction is said beside the other mistakes', () => {
  const twice = { name: 'questions', source: { type: 'nothing' } };
  const wrong = { benchmarks: [...spec().benchmarks, twice, 7], samples: 2, passAt: [1, 4], colour: 'blue' };
  expect(Object.keys(issues(spec(wrong))).sort()).toEqual([
    'benchmarks[1].name',
    'benchmarks[1].source.type',
    'benchmarks[2]',
    'colour',
    'passAt[1]',
  ]);
  expect(issues(null)).toHaveProperty(['']);
});

test('an endpoint has a chat template of its own', () => {
  const prompt = { variables: { enable_thinking: false }, date: '2025-01-31' };
  const remote = { url: 'http://127.0.0.1:1/v1', model: 'm' };
  expect(validateEvaluation(spec({ prompt })).prompt).toMatchObject(prompt);
  expect(issues(spec({ prompt, model: { remote } }))).toEqual({
    'prompt.variables': expect.stringContaining('model.remote.extra'),
    'prompt.date': expect.stringContaining('model.remote.extra'),
  });
});

test('a list of models is for the command that starts one evaluation for each', () => {
  const { model: _, ...rest } = spec();
  expect(issues({ ...rest, models: [{ run: 'a' }] }).models).toContain('longhaul evaluate');
});

test('a reward of the user’s own is for training alone', () => {
  expect(issues(spec({ reward: { custom: { module: 'x.js' } } }))).toHaveProperty(['reward.custom']);
});

describe('the input limit', () => {
  const limit = (over: Record<string, unknown>, context: number) => inputLimit(validateEvaluation(spec(over)), context);
  const sampling = { maxNewTokens: 100 };

  test('is the paper’s, or what the context leaves where that is less', () => {
    expect(limit({ sampling }, 1_000_000)).toBe(120_000);
    expect(limit({ sampling }, 2048)).toBe(1948);
    expect(limit({ sampling, maxInputTokens: 1000 }, 2048)).toBe(1000);
  });

  test('that the context does not have is refused', () => {
    expect(() => limit({ sampling, maxInputTokens: 2000 }, 2048)).toThrow('maxInputTokens: expected at most');
    expect(() => limit({}, 2048)).toThrow('sampling.maxNewTokens: expected less than the model');
  });
});

test('a model that has no label gets one that may stand in the store', () => {
  const labelOf = (model: Record<string, unknown>) => defaultLabel(validateEvaluation(spec({ model })).model);
  expect(labelOf({ run: 'tiny' })).toBe('tiny');
  expect(labelOf({ run: 'tiny', policy: 'base' })).toBe('tiny-base');
  expect(labelOf({ folder: '/models/my model/' })).toBe('my-model');
  expect(labelOf({ folder: 'hf:HuggingFaceTB/SmolLM2@main' })).toBe('SmolLM2');
  expect(labelOf({ remote: { url: 'https://example.com/v1', model: 'org/gpt:oss' } })).toBe('gpt-oss');
});

test('official metrics follow the name, then the source, and never a guess', () => {
  expect(metricOf({ name: 'hotpotqa', source: { type: 'jsonl' } })).toBe('hotpotqa');
  expect(metricOf({ name: 'short', source: { type: 'musique' } })).toBe('musique');
  expect(metricOf({ name: 'short', source: { type: 'longbench' } })).toBe('custom');
  expect(metricOf({ name: 'short', metric: 'qasper', source: { type: 'jsonl' } })).toBe('qasper');
});
