import { InvalidSpecError } from '../../../activities/spec/spec-issues.js';
import { validateSpec } from '../../../activities/spec/validate-spec.js';
import { smallSpec } from '../../support/small-run.js';

const spec = () => smallSpec('/data');

function issues(input: unknown, overrides: Record<string, unknown> = {}): Record<string, string> {
  try {
    validateSpec(input, overrides);
  } catch (error) {
    if (error instanceof InvalidSpecError) {
      return Object.fromEntries(error.issues.map(({ path, problem }) => [path, problem]));
    }
    throw error;
  }
  return {};
}

describe('defaults', () => {
  test('are all filled in, also those that depend on the algorithm', () => {
    const { rl, phases, evaluation, retrospective } = validateSpec(spec());
    expect(rl).toMatchObject({ algorithm: 'dapo', clipLow: 0.2, clipHigh: 0.28, maxRefills: 3, promptsPerUpdate: 2 });
    expect(phases[0]!.rl).toEqual(rl);
    expect(evaluation.sampling).toEqual(rl.sampling);
    expect(retrospective.fraction).toBe(0.25);
    const grpo = validateSpec({ ...spec(), rl: { ...spec().rl, algorithm: 'grpo', promptsPerUpdate: undefined } });
    expect(grpo.rl).toMatchObject({ clipHigh: 0.2, maxRefills: 0, promptsPerUpdate: 4 });
  });

  test.each([
    ['grpo', { clipLow: 0.2, clipHigh: 0.2, maxRefills: 0 }],
    ['dapo', { clipLow: 0.2, clipHigh: 0.28, maxRefills: 3 }],
    ['dr-grpo', { clipLow: 0.2, clipHigh: 0.2, maxRefills: 0 }],
    ['gspo', { clipLow: 3e-4, clipHigh: 4e-4, maxRefills: 0 }],
    ['cispo', { clipLow: 1, clipHigh: 4, maxRefills: 3 }],
    ['rloo', { clipLow: 0.2, clipHigh: 0.2, maxRefills: 0 }],
  ])('of %s', (algorithm, expected) => {
    const { rl } = validateSpec({ ...spec(), rl: { ...spec().rl, algorithm } });
    expect(rl).toMatchObject({ algorithm, ...expected, kl: null, importanceCap: null });
    const own = validateSpec({
      ...spec(),
      rl: { ...spec().rl, algorithm, clipLow: 0.1, clipHigh: 0.3, maxRefills: 1 },
    });
    expect(own.rl).toMatchObject({ clipLow: 0.1, clipHigh: 0.3, maxRefills: 1 });
  });

  test('a phase overrides what it names and keeps the run’s other settings', () => {
    const input = {
      ...spec(),
      rl: { ...spec().rl, groupSize: 6 },
      phases: [{ maxTokens: 40, steps: 1, rl: { optimizer: { learningRate: 5e-5 }, sampling: { topP: 0.5 } } }],
    };
    const { rl } = validateSpec(input).phases[0]!;
    expect(rl.groupSize).toBe(6);
    expect(rl.optimizer).toMatchObject({ learningRate: 5e-5, beta1: 0.9 });
    expect(rl.sampling).toMatchObject({ topP: 0.5, maxNewTokens: 30 });
  });

  test('snapshots: when they are worth it, the newest two of a stage', () => {
    const { checkpoints: _, ...written } = spec();
    const { checkpoints } = validateSpec(written);
    expect(checkpoints).toEqual({ everySteps: 'auto', meanTimeBetweenFailures: 3, keep: 2 });
    const wrong = { everySteps: 'often', meanTimeBetweenFailures: 0, keep: 'some' };
    expect(issues({ ...written, checkpoints: wrong })).toMatchObject({
      'checkpoints.everySteps': 'expected "auto" or a whole number, 1 or more, found "often"',
      'checkpoints.meanTimeBetweenFailures': 'expected more than 0, found 0',
      'checkpoints.keep': 'expected "all" or a whole number, 1 or more, found "some"',
    });
  });

  test('shards: none unless given, a whole number, and none where a service samples', () => {
    expect(validateSpec(spec())).not.toHaveProperty('shards');
    expect(validateSpec({ ...spec(), shards: 8 }).shards).toBe(8);
    for (const shards of [0, 1.5, 513, 'two']) expect(issues({ ...spec(), shards })).toHaveProperty('shards');
    const served = { ...spec(), engine: { kind: 'tinker' }, rl: { ...spec().rl, sampling: { temperature: 1 } } };
    expect(issues({ ...served, shards: 2 })).toMatchObject({ shards: expect.stringContaining('the service samples') });
  });

  test('validating a valid spec changes nothing', () => {
    const once = validateSpec(spec());
    expect(validateSpec(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });
});

describe('every wrong path is named', () => {
  test('with what was expected there', () => {
    const found = issues({
      ...spec(),
      seed: -1,
      model: '',
      data: [{ type: 'telepathy' }],
      rl: { ...spec().rl, optimizer: { learningRate: 'fast' }, algorithm: 'ppo' },
      phases: [
        { maxTokens: 40, steps: 3 },
        { maxTokens: 60, steps: 1.5, rl: { sampling: { topP: 2 } } },
      ],
      evaluation: { sets: [{ name: '../../etc', source: { type: 'jsonl', path: 'x' } }] },
      checkpoint: {},
    });
    expect(Object.keys(found).sort()).toEqual(
      [
        'checkpoint',
        'data[0].type',
        'evaluation.sets[0].name',
        'model',
        'phases[1].rl.sampling.topP',
        'phases[1].steps',
        'rl.algorithm',
        'rl.optimizer.learningRate',
        'seed',
      ].sort(),
    );
    expect(found['rl.optimizer.learningRate']).toBe('expected a number, found "fast"');
    expect(found.checkpoint).toContain('unknown field');
  });

  test.each([
    [
      'phases[1].maxTokens',
      {
        phases: [
          { maxTokens: 40, steps: 1 },
          { maxTokens: 40, steps: 1 },
        ],
      },
    ],
    ['rl.sampling.temperature', { rl: { ...spec().rl, sampling: { maxNewTokens: 9, temperature: 0 } } }],
    ['rl.signal.minEffectiveGroups', { rl: { ...spec().rl, signal: { minEffectiveGroups: 5 } } }],
    ['rl.overlong.cache', { rl: { ...spec().rl, overlong: { maxLength: 10, cache: 11 } } }],
    ['rl.tokenMean', { rl: { ...spec().rl, algorithm: 'cispo', tokenMean: 'batch' } }],
    ['rl.advantageScale', { rl: { ...spec().rl, algorithm: 'rloo', advantageScale: 'task' } }],
    ['rl.aepo.low', { rl: { ...spec().rl, aepo: { low: 2, high: 1 } } }],
    ['rl.kl.coefficient', { rl: { ...spec().rl, kl: { coefficient: 0 } } }],
    ['rl.importanceCap', { rl: { ...spec().rl, importanceCap: -1 } }],
    ['retrospective.fraction', { retrospective: { fraction: 1 } }],
    ['phases', { phases: [] }],
    ['prompt.numbered', { reward: { evidence: {} } }],
    ['retrospective.weight', { reward: { evidence: {} }, retrospective: { weight: 'zero-accuracy' } }],
    ['reward.evidence.weight', { reward: { evidence: { weight: 2 } } }],
    ['reward.judge.model', { reward: { judge: { url: 'https://host/v1' } } }],
    ['reward.judge.url', { reward: { judge: { url: 'https://key@host/v1', model: 'm' } } }],
    ['reward.judge.keyVariable', { reward: { judge: { url: 'https://host/v1', model: 'm', keyVariable: 'sk-1' } } }],
    ['reward.judge.prompt', { reward: { judge: { url: 'https://host/v1', model: 'm', prompt: 'Well?' } } }],
    ['reward.judge.apiKey', { reward: { judge: { url: 'https://host/v1', model: 'm', apiKey: 'sk-1' } } }],
    ['reward.custom', { reward: { custom: {} } }],
    ['reward.custom', { reward: { custom: { module: 'reward.js', url: 'https://host' } } }],
    ['reward.custom.module', { reward: { custom: { module: 'reward.py' } } }],
    ['prompt.template', { prompt: { template: '{question}' } }],
  ])('%s', (path, change) => {
    expect(Object.keys(issues({ ...spec(), ...change }))).toContain(path);
  });

  test.each([null, undefined, 7, 'tiny', []])('a spec that is none: %j', input => {
    expect(Object.keys(issues(input))).toEqual(['']);
  });
});

describe('a mistake is said once, at the outermost path', () => {
  const minimal = {
    model: '/model',
    data: [{ type: 'jsonl', path: '/train.jsonl' }],
    phases: [{ maxTokens: 512, steps: 9 }],
  };

  test.each([
    ['nothing is missing where model, data and phases are there', minimal, {}],
    ['a missing block', { ...minimal, model: undefined }, { model: 'missing: expected a text' }],
    [
      'of the run’s settings, however many phases have them',
      { ...minimal, rl: { sampling: { topP: 2 } }, phases: [...minimal.phases, { maxTokens: 600, steps: 1 }] },
      { 'rl.sampling.topP': 'expected at most 1, found 2' },
    ],
    ['a block that is none', { ...minimal, rl: 5 }, { rl: 'expected a block of fields, found 5' }],
    ['a list that is none', { ...minimal, data: 'a.jsonl' }, { data: 'expected a list, found "a.jsonl"' }],
    ['an empty list', { ...minimal, phases: [] }, { phases: 'expected a list that is not empty, found an empty list' }],
    [
      'settings that contradict each other, of the run',
      { ...minimal, rl: { sampling: { temperature: 0 } }, phases: [...minimal.phases, { maxTokens: 600, steps: 1 }] },
      { 'rl.sampling.temperature': expect.stringContaining('expected more than 0, found 0: greedy') },
    ],
    [
      'the same of a phase',
      { ...minimal, phases: [{ maxTokens: 9, steps: 1, rl: { promptsPerStep: 1 } }] },
      { 'phases[0].rl.signal.minEffectiveGroups': 'expected at most promptsPerStep (1), found 2' },
    ],
    [
      'what a phase and the run lack only together',
      { ...minimal, phases: [{ maxTokens: 9, steps: 1, rl: { overlong: { cache: 3 } } }] },
      { 'phases[0].rl.overlong.maxLength': 'missing: expected a number' },
    ],
    [
      'a kind of data that there is not',
      { ...minimal, data: [{ type: 'hotpot', path: 'x' }] },
      {
        'data[0].type': expect.stringMatching(
          /^expected one of "world", .*, found "hotpot": did you mean "hotpotqa"\?$/,
        ),
      },
    ],
    ['a number for a whole one', { ...minimal, seed: 1.5 }, { seed: 'expected a whole number, found 1.5' }],
  ])('%s', (_, input, expected) => {
    expect(issues(input)).toEqual(expected);
  });

  test.each([
    ['phase', {}, 'phases'],
    ['rl.groupsize', { rl: { groupsize: 4 } }, 'groupSize'],
    ['rl.learning_rate', { rl: { learning_rate: 4 } }, 'optimizer.learningRate'],
    ['rl.learningRate', { rl: { learningRate: 4 } }, 'optimizer.learningRate'],
    ['rl.optimizer.learning_rate', { rl: { optimizer: { learning_rate: 4 } } }, 'learningRate'],
    ['data[0].pth', { data: [{ type: 'jsonl', path: 'x', pth: 'y' }] }, 'path'],
    ['phases[0].rl.sampling.top_p', { phases: [{ maxTokens: 9, steps: 1, rl: { sampling: { top_p: 1 } } }] }, 'topP'],
    ['colour', { colour: 'blue' }, undefined],
  ])('the misspelt %s', (path, change, meant) => {
    const input = path === 'phase' ? { ...minimal, phase: [] } : { ...minimal, ...change };
    expect(issues(input)).toEqual({
      [path]: meant
        ? `unknown field: did you mean "${meant}"?`
        : expect.stringMatching(/^unknown field: expected one of /),
    });
  });

  test('what may be a key is not repeated', () => {
    const judge = { url: 'https://sk-1@host/v1', model: 'm', keyVariable: 'sk-2', extra: { api_key: 'sk-3' } };
    const found = issues({ ...minimal, reward: { judge } });
    expect(Object.keys(found)).toHaveLength(3);
    expect(Object.values(found).join(' ')).not.toContain('sk-');
  });
});

test('what an evaluation’s sampling leaves out of length is the training’s', () => {
  const { evaluation } = validateSpec({ ...spec(), evaluation: { sampling: { temperature: 0 } } });
  expect(evaluation.sampling).toEqual({ temperature: 0, topP: 0.95, topK: 0, maxNewTokens: 30 });
});

describe('what the chat template is given', () => {
  const withPrompt = (prompt: object) => ({ ...spec(), prompt: { ...spec().prompt, chat: true, ...prompt } });

  test('is kept as written, and leaves no trace where nothing is', () => {
    const given = { variables: { enable_thinking: false, budget: 3, style: { short: true } }, date: '2025-01-31' };
    expect(validateSpec(withPrompt(given)).prompt).toMatchObject(given);
    expect(Object.keys(validateSpec(spec()).prompt)).toEqual(['template', 'numbered', 'chat', 'system', 'truncate']);
  });

  test.each<[object, Record<string, RegExp>]>([
    [{ date: '31.1.2025' }, { 'prompt.date': /expected a date such as "2025-01-31"/ }],
    [{ date: '2025-02-30' }, { 'prompt.date': /expected a date/ }],
    [{ variables: { messages: [] } }, { 'prompt.variables.messages': /.*/ }],
    [{ variables: { 'not a name': 1 } }, { 'prompt.variables.not a name': /.*/ }],
    [
      { chat: false, variables: { x: 1 }, date: '2025-01-31' },
      { 'prompt.variables': /prompt\.chat is false/, 'prompt.date': /prompt\.chat is false/ },
    ],
  ])('%j is refused', (prompt, expected) => {
    const found = issues(withPrompt(prompt));
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [path, problem] of Object.entries(expected)) expect(found[path]).toMatch(problem);
  });
});

describe('overrides', () => {
  test('by dotted path, with indices in either style', () => {
    const { phases, rl, warmup } = validateSpec(spec(), {
      'phases.0.steps': 9,
      'phases[1].rl.groupSize': 3,
      'rl.optimizer.learningRate': 2e-6,
      warmup: null,
    });
    expect([phases[0]!.steps, phases[1]!.rl.groupSize, rl.optimizer.learningRate, warmup]).toEqual([9, 3, 2e-6, null]);
  });

  test('that lead nowhere are named', () => {
    const found = issues(spec(), { 'phases.7.steps': 1, 'seed.x': 1, '__proto__.polluted': 1, 'rl.colour': 1 });
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['phases.7.steps', 'seed.x', '__proto__.polluted']));
    expect(found['rl.colour']).toContain('unknown field');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('leave the spec they are laid over alone', () => {
    const input = spec();
    validateSpec(input, { 'rl.groupSize': 2 });
    expect(input).toEqual(spec());
  });

  test('leave one another alone: one may reach into what another gives', () => {
    const overrides = { phases: [{ maxTokens: 64, steps: 1 }], 'phases.0.steps': 5 };
    expect(validateSpec(spec(), overrides).phases[0]!.steps).toBe(5);
    expect(overrides.phases[0]!.steps).toBe(1);
  });
});
