/** The engine behind its process boundary: equal bits in every process, and nothing lost but the call when it is killed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_OPTIMIZER,
  type Engine,
  EngineLostError,
  EngineRequestError,
  type GenerateRequest,
  type UpdateRequest,
} from '../../../../activities/engine/protocol/index';
import { fileHash } from '../../../../activities/store/index.js';
import { realEngine } from '../../../support/engine';
import { golden, goldenFolder } from '../../../support/golden';

const model = goldenFolder('qwen3');
const numbers = golden('qwen3');
const optimizer = { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 };

const generation = (maxNewTokens: number): GenerateRequest => ({
  prompts: Array.from({ length: 12 }, (_, i) => ({
    ids: numbers.sequences[4]!.ids.slice(0, 10 + 20 * (i % 3)),
    seed: `${i}`,
  })),
  group: 8,
  sampling: { temperature: 1, topP: 1, topK: 0, maxNewTokens, stopIds: [] },
});

const update = (tag: string): UpdateRequest => {
  const { groups, settings } = numbers.updates[1]!;
  return { groups, loss: settings, optimizer, microBatchTokens: 4096, tag };
};

/** Load, generate, train on what was generated, save: the fingerprints of everything on the way. */
async function session(engine: Engine, directory: string): Promise<unknown> {
  await engine.call('load', { directory: model, tag: 'base' });
  const { groups } = await engine.call('generate', generation(60));
  const prompts = generation(60).prompts;
  const scored = groups.map(({ responses }, i) => ({
    promptIds: prompts[i]!.ids,
    responses: responses.map((r, j) => ({ ids: r.ids, logprobs: r.logprobs, reward: (i + j) % 2 })),
  }));
  const { loss, gradNorm, kl } = await engine.call('update', { ...update('one'), groups: scored });
  await engine.call('update', update('two'));
  const { sha256 } = await engine.call('fingerprint', {});
  const saved = await engine.call('save', { directory, withOptimizer: true });
  expect(saved.sha256).toBe(sha256);
  expect(saved.optimizerSha256).toBe(await fileHash(join(directory, 'optimizer.safetensors')));
  return { groups, loss, gradNorm, kl, sha256 };
}

describe('the engine process', () => {
  let directory: string;
  const engines: Engine[] = [];
  const engine = (options = {}): Engine => {
    const made = realEngine(options);
    engines.push(made);
    return made;
  };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map(e => e.close()));
    await rm(directory, { recursive: true });
  });

  test('equal inputs give equal bits: 1 or 2 threads, a fresh process or an old one', async () => {
    const two = engine({ threads: 2 });
    const first = await session(two, join(directory, 'a'));
    expect(await session(two, join(directory, 'b'))).toEqual(first);
    expect(await session(engine({ threads: 1 }), join(directory, 'c'))).toEqual(first);
    const digest = async (name: string): Promise<string> =>
      createHash('sha256')
        .update(await readFile(join(directory, name, 'optimizer.safetensors')))
        .digest('hex');
    expect(await digest('b')).toBe(await digest('a'));
    expect(await digest('c')).toBe(await digest('a'));
  });

  test('a saved policy goes on as the one in memory would have', async () => {
    const subject = engine();
    await session(subject, join(directory, 'saved'));
    const next = await subject.call('update', update('three'));
    const { sha256 } = await subject.call('fingerprint', {});
    const other = engine();
    await other.call('load', { directory: join(directory, 'saved'), tag: 'two' });
    expect((await other.call('update', update('three'))).optimizerStep).toBe(next.optimizerStep);
    expect(await other.call('fingerprint', {})).toEqual({ sha256 });
  });

  test('keys and tokens are not in its environment', async () => {
    const secrets = ['HF_TOKEN', 'TEMPORAL_API_KEY', 'CHAT_KEY', 'LONGHAUL_WEBHOOK_URL'];
    for (const name of secrets) process.env[name] = 'not-for-the-engine';
    try {
      const { pid } = await engine({ threads: 1 }).call('status', {});
      const environment = execFileSync('ps', ['e', 'ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
      expect(environment).toContain('LONGHAUL_ENGINE_THREADS=1');
      expect(environment).not.toContain('not-for-the-engine');
    } finally {
      for (const name of secrets) delete process.env[name];
    }
  });

  test('one that stands still is ended, and the next call has a new process', async () => {
    const subject = engine({ silence: 2 });
    await subject.call('load', { directory: model, tag: 'base' });
    const { pid } = await subject.call('status', {});
    process.kill(pid, 'SIGSTOP');
    const running = subject.call('generate', generation(2));
    await expect(running).rejects.toThrow(EngineLostError);
    await expect(running).rejects.toThrow(/showed no progress for 2 s and was ended/);
    expect((await subject.call('status', {})).pid).not.toBe(pid);
  });

  test('a full disk is said to be one, and worth another try', async () => {
    const subject = engine();
    await subject.call('load', { directory: model, tag: 'base' });
    const { pid } = await subject.call('status', {});
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=4096:']);
    const failed = subject.call('save', { directory: join(directory, 'full'), withOptimizer: false });
    await expect(failed).rejects.toMatchObject({ name: 'EngineRequestError', code: 'storage' });
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:']);
    await subject.call('save', { directory: join(directory, 'room'), withOptimizer: false });
  });

  test('killed in the middle of a run it fails that call alone, and the next call has a new process', async () => {
    const subject = engine();
    await subject.call('load', { directory: model, tag: 'base' });
    const { pid } = await subject.call('status', {});
    let signalled = false;
    const running = subject.call('generate', generation(600), {
      onProgress: ({ done }) => {
        if (done > 0 && !signalled) signalled = process.kill(pid, 'SIGKILL');
      },
    });
    await expect(running).rejects.toThrow(EngineLostError);
    await expect(running).rejects.toThrow(/ended by SIGKILL during "generate"/);
    const status = await subject.call('status', {});
    expect(status.tag).toBeNull();
    expect(status.pid).not.toBe(pid);
    await expect(subject.call('generate', generation(2))).rejects.toThrow('no policy is loaded');
  });

  test('cancelling ends the call soon and leaves the policy usable', async () => {
    const subject = engine();
    await subject.call('load', { directory: model, tag: 'base' });
    const controller = new AbortController();
    const running = subject.call('generate', generation(600), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done > 0) controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect((await subject.call('status', {})).tag).toBe('base');
    await expect(subject.call('generate', generation(2))).resolves.toBeDefined();
  });

  test('a policy whose weights have blown up answers nothing, rather than the same token again and again', async () => {
    const subject = engine();
    await subject.call('load', { directory: model, tag: 'base' });
    await subject.call('update', { ...update('blown up'), optimizer: { ...optimizer, learningRate: 1e30 } });
    for (const temperature of [0, 1]) {
      const { sampling, ...rest } = generation(2);
      const answer = subject.call('generate', { ...rest, sampling: { ...sampling, temperature } });
      await expect(answer).rejects.toMatchObject({ name: 'EngineRequestError', code: 'not-finite' });
    }
    await expect(subject.call('update', update('next'))).rejects.toThrow(/is NaN: the step was not taken/);
  });

  test.each<[string, Partial<UpdateRequest>, RegExp]>([
    [
      'an id outside the vocabulary',
      { groups: [{ promptIds: [999], responses: [{ ids: [1], logprobs: [-1], reward: 1 }] }] },
      /id 999; expected whole numbers from 0 to 319/,
    ],
    [
      'a missing log-probability',
      { groups: [{ promptIds: [9], responses: [{ ids: [1, 2], logprobs: [-1], reward: 1 }] }] },
      /2 ids and 1 log-probabilities/,
    ],
    [
      'an empty response',
      { groups: [{ promptIds: [9], responses: [{ ids: [], logprobs: [], reward: 1 }] }] },
      /a response is empty/,
    ],
    ['no groups', { groups: [] }, /the batch is empty/],
    [
      'too long a sequence',
      { groups: [{ promptIds: new Array(1024).fill(5), responses: [{ ids: [1], logprobs: [-1], reward: 1 }] }] },
      /exceeds the model's context of 1024/,
    ],
    [
      'a reward that is no number',
      { groups: [{ promptIds: [9], responses: [{ ids: [1], logprobs: [-1], reward: Number.NaN }] }] },
      /reward is NaN/,
    ],
    [
      'an infinite loss',
      {
        groups: [
          {
            promptIds: [9],
            responses: [
              { ids: [1], logprobs: [-1e30], reward: 1 },
              { ids: [2], logprobs: [-1e30], reward: 0 },
            ],
          },
        ],
      },
      /the step was not taken/,
    ],
  ])('refuses %s and changes nothing', async (_what, change, message) => {
    const subject = engine();
    await subject.call('load', { directory: model, tag: 'base' });
    const before = await subject.call('fingerprint', {});
    const refused = subject.call('update', { ...update('bad'), ...change });
    await expect(refused).rejects.toThrow(EngineRequestError);
    await expect(refused).rejects.toThrow(message);
    expect(await subject.call('fingerprint', {})).toEqual(before);
    expect((await subject.call('status', {})).tag).toBe('base');
  });
});
