/** `longhaul engine …` as a person runs it: on files, in a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { golden, goldenFolder } from '../../support/golden';

const PROGRAM = join(__dirname, '../../../infra/bin/longhaul.js');
const model = goldenFolder('qwen2');
const numbers = golden('qwen2');

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function longhaul(...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(process.execPath, [PROGRAM, 'engine', ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe('longhaul engine', () => {
  let folder: string;
  const path = (name: string): string => join(folder, name);
  const lines = async (name: string) =>
    (await readFile(path(name), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
  const put = (name: string, records: unknown[]): Promise<void> =>
    writeFile(path(name), records.map(r => `${JSON.stringify(r)}\n`).join(''));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-commands-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('logprobs gives what transformers gives, the first null', async () => {
    await put(
      'in',
      numbers.sequences.map(({ ids }) => ({ ids })),
    );
    const { code } = await longhaul('logprobs', '--model', model, '--input', path('in'), '--output', path('out'));
    expect(code).toBe(0);
    const rows = await lines('out');
    numbers.sequences.forEach(({ ids, logprobs }, i) => {
      expect(rows[i].ids).toEqual(ids);
      expect(rows[i].logprobs[0]).toBeNull();
      logprobs.slice(1).forEach((value, t) => {
        expect(Math.abs(rows[i].logprobs[t + 1] - value!)).toBeLessThan(1e-4);
      });
    });
  });

  test('generate answers ids, text and chats alike; a response does not depend on its place in the file', async () => {
    const prompts = [
      { ids: [5, 9, 2] },
      { text: 'the answer' },
      { messages: [{ role: 'user', content: 'the answer' }] },
    ];
    await put('in', prompts);
    await put('reversed', [...prompts].reverse());
    const flags = [
      '--model',
      model,
      '--group',
      '3',
      '--max-new-tokens',
      '12',
      '--temperature',
      '0.8',
      '--top-p',
      '0.9',
      '--seed',
      '4',
    ];
    for (const name of ['in', 'reversed'])
      expect((await longhaul('generate', ...flags, '--input', path(name), '--output', path(`${name}.out`))).code).toBe(
        0,
      );
    const rows = await lines('in.out');
    expect((await lines('reversed.out')).reverse()).toEqual(rows);
    expect(rows[0].prompt_ids).toEqual([5, 9, 2]);
    for (const { responses } of rows) {
      expect(responses).toHaveLength(3);
      for (const { ids, logprobs, text, finish } of responses) {
        expect(logprobs).toHaveLength(ids.length);
        expect(typeof text).toBe('string');
        expect(['stop', 'length']).toContain(finish);
      }
    }
  });

  test('two SFT commands with --optimizer between them give what one gives', async () => {
    const examples = numbers.adamw.batches
      .flat()
      .map(({ promptIds, responseIds }) => ({ prompt_ids: promptIds, response_ids: responseIds }));
    await put('all', examples);
    await put('first', examples.slice(0, 2));
    await put('rest', examples.slice(2));
    const sft = (from: string, data: string, output: string, optimizer: string) =>
      longhaul(
        'sft',
        '--model',
        from,
        '--data',
        path(data),
        '--output',
        path(output),
        '--lr',
        '0.01',
        '--batch',
        '2',
        '--epochs',
        '1',
        '--optimizer',
        path(optimizer),
      );
    const whole = await sft(model, 'all', 'whole', 'state-whole');
    expect(whole.stdout.trim().split('\n')).toHaveLength(3);
    expect(JSON.parse(whole.stdout.split('\n')[0]!).loss).toBeCloseTo(numbers.adamw.metrics[0]!.loss, 4);
    expect((await sft(model, 'first', 'one', 'state')).code).toBe(0);
    expect((await sft(path('one'), 'rest', 'two', 'state')).code).toBe(0);
    const bytes = (...names: string[]) => readFile(join(folder, ...names));
    expect((await bytes('two', 'model.safetensors')).equals(await bytes('whole', 'model.safetensors'))).toBe(true);
    expect(
      (await bytes('state', 'optimizer.safetensors')).equals(await bytes('state-whole', 'optimizer.safetensors')),
    ).toBe(true);
    expect((await readdir(path('two'))).sort()).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']),
    );
  });

  test('update prints the metrics of the one update it makes, or of each mini-batch', async () => {
    const { groups, settings, loss, gradNorm, metrics } = numbers.updates.find(u => u.settings.algorithm === 'grpo')!;
    await put(
      'rollouts',
      groups.map(g => ({ prompt_ids: g.promptIds, responses: g.responses })),
    );
    const flags = [
      '--model',
      model,
      '--rollouts',
      path('rollouts'),
      '--algorithm',
      'grpo',
      '--lr',
      '1e-3',
      '--temperature',
      String(settings.temperature),
    ];
    const { stdout } = await longhaul('update', ...flags, '--output', path('one'));
    const [printed] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(printed.loss).toBeCloseTo(loss, 4);
    expect(printed.gradNorm).toBeCloseTo(gradNorm, 3);
    expect(printed.clipFraction).toBeCloseTo(metrics.clipFraction!, 6);
    const split = await longhaul('update', ...flags, '--minibatch', '2', '--output', path('two'));
    expect(split.stdout.trim().split('\n')).toHaveLength(Math.ceil(groups.length / 2));
  });

  test.each([
    ['grpo', []],
    ['dapo', ['--token-mean', 'batch']],
    ['dr-grpo', ['--max-response-tokens', '12', '--kl-coefficient', '0.1']],
    ['gspo', ['--kl-coefficient', '0.1', '--reference', model]],
    ['cispo', ['--importance-cap', '2', '--minibatch', '1']],
    ['rloo', ['--importance-cap', '2', '--kl-coefficient', '0.1']],
  ])('update by %s %j', async (algorithm, more) => {
    const { groups } = numbers.updates.find(u => u.name === 'gspo')!;
    await put(
      'rollouts',
      groups.map(g => ({ prompt_ids: g.promptIds, responses: g.responses })),
    );
    const flags = ['--model', model, '--rollouts', path('rollouts'), '--algorithm', algorithm, '--lr', '1e-3'];
    const { code, stdout } = await longhaul('update', ...flags, ...more, '--output', path('new'));
    expect(code).toBe(0);
    const printed = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(printed.map(({ tokens }) => tokens).reduce((a, b) => a + b, 0)).toBe(62);
    // The policy is its own reference until it is updated.
    if (more.includes('--kl-coefficient')) expect(printed[0].referenceKl).toBeCloseTo(0, 9);
    else expect(printed[0]).not.toHaveProperty('referenceKl');
  });

  test.each<[string, string[], RegExp]>([
    ['an option of another algorithm', ['grpo', '--token-mean', 'batch'], /--token-mean does not apply to grpo/],
    ['dr-grpo without its limit', ['dr-grpo'], /give --max-response-tokens/],
    ['a reference without use', ['grpo', '--reference', model], /--reference is for a KL term: give --kl-coefficient/],
  ])('update refuses %s', async (_what, [algorithm, ...more], message) => {
    await put('rollouts', []);
    const flags = ['--model', model, '--rollouts', path('rollouts'), '--algorithm', algorithm!, '--lr', '1e-3'];
    const { code, stderr } = await longhaul('update', ...flags, ...more, '--output', path('new'));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test.each<[string, string, RegExp]>([
    ['a line that is no JSON', '{"ids": [1', /in:1: not JSON/],
    ['a record of another kind', '{"id": 3}', /in:1: .*expected \{"ids"/],
    ['an id outside the vocabulary', '{"ids": [1, 4000]}', /in:1: .*id 4000; expected whole numbers from 0 to 319/],
    ['no id', '{"ids": []}', /in:1: ids: /],
    [
      'an empty text among others',
      '{"ids": [1]}\n\n{"text": ""}',
      /in:3: the text is empty: it has no token; leave the line out/,
    ],
    [
      'a text beyond the context',
      `{"ids": null, "text": "${'so '.repeat(2000)}"}`,
      /in:1: .*exceeds the model's context of 1024 tokens/,
    ],
  ])('%s is refused by name and leaves no output', async (_what, line, message) => {
    await writeFile(path('in'), `${line}\n`);
    const { code, stderr } = await longhaul(
      'logprobs',
      '--model',
      model,
      '--input',
      path('in'),
      '--output',
      path('out'),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(await readdir(folder)).toEqual(['in']);
  });

  test('an adapter is begun, gone on with and merged', async () => {
    const examples = numbers.adamw.batches.flat();
    await put(
      'data',
      examples.map(({ promptIds, responseIds }) => ({ prompt_ids: promptIds, response_ids: responseIds })),
    );
    await put(
      'in',
      numbers.sequences.map(({ ids }) => ({ ids })),
    );
    const sft = (output: string, ...flags: string[]) =>
      longhaul('sft', '--model', model, '--data', path('data'), '--output', path(output), '--lr', '0.01', ...flags);
    expect((await sft('one', '--lora-rank', '4', '--lora-alpha', '8', '--lora-targets', 'q_proj,up_proj')).code).toBe(
      0,
    );
    expect((await readdir(path('one'))).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    const { stdout } = await sft('two', '--adapter', path('one'));
    expect(JSON.parse(stdout).loss).toBeLessThan(numbers.adamw.metrics[0]!.loss);
    expect((await longhaul('merge', '--model', model, '--adapter', path('two'), '--output', path('whole'))).code).toBe(
      0,
    );

    const logprobs = async (output: string, ...flags: string[]) => {
      expect((await longhaul('logprobs', ...flags, '--input', path('in'), '--output', path(output))).code).toBe(0);
      return (await lines(output)).flatMap(row => row.logprobs.slice(1) as number[]);
    };
    const adapted = await logprobs('adapted', '--model', model, '--adapter', path('two'));
    const merged = await logprobs('merged', '--model', path('whole'));
    adapted.forEach((value, t) => {
      expect(Math.abs(value - merged[t]!)).toBeLessThan(1e-4);
    });

    const both = await sft('three', '--adapter', path('one'), '--lora-seed', '2');
    expect(both.code).toBe(1);
    expect(both.stderr).toMatch(/--adapter goes on with an adapter and --lora-seed begins one: give one of the two/);
  });

  test('an output folder that holds something is left alone', async () => {
    await put('in', [{ prompt_ids: [1], response_ids: [2] }]);
    const { code, stderr } = await longhaul(
      'sft',
      '--model',
      model,
      '--data',
      path('in'),
      '--output',
      folder,
      '--lr',
      '1',
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/already holds in; expected a new or empty folder/);
  });
});
