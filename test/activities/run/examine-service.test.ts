/** What a run needs and its training service lacks is said by path, before anything is spent on the run. */
import { examineService, prepareRun } from '../../../activities/run/index';
import { servedRun, startServed } from '../../support/served-run';
import type { Behaviour, TinkerServer } from '../../support/tinker-server';

jest.setTimeout(60_000);

let server: TinkerServer;
beforeAll(async () => {
  server = await startServed();
});
afterAll(() => server.release());

async function examined(behaviour: Partial<Behaviour>, changes: object): Promise<unknown> {
  const other = await server.another(behaviour);
  const served = await servedRun(other);
  try {
    const input = { ...served.spec, ...changes };
    const plan = await served.run(prepareRun(served.deps), { run: 'run', input });
    expect(plan.engine).toBe('tinker');
    return await served.run(examineService(served.deps), { run: 'run' });
  } finally {
    await served.remove();
    await other.stop();
  }
}

test('what the service was found to be is told, and logged with the run', async () => {
  expect(await examined({}, {})).toEqual({
    found: expect.stringContaining('gradients: '),
    tolerance: expect.any(Number),
  });
});

test.each<[string, Partial<Behaviour>, object, RegExp]>([
  [
    'a model that is not served',
    {},
    { engine: { kind: 'tinker', model: 'Qwen/Qwen3-8B', lora: { rank: 4 } } },
    /engine\.model: .*does not serve the model "Qwen\/Qwen3-8B"; it serves "base"/,
  ],
  [
    'a rank that is too large',
    { maxRank: 8 },
    { engine: { kind: 'tinker', model: 'base', lora: { rank: 16 } } },
    /engine\.lora: .*LoRA rank 16 exceeds the limit of 8/,
  ],
  ['a context that is too short', { contextLength: 64 }, {}, /phases: .*context of 64 tokens, and the run needs \d+/],
  [
    'another scale of adapters',
    { alpha: 16 },
    {},
    /engine\.lora: .*alpha 16, and alpha 32 is wanted: set engine\.lora\.alpha to 16/,
  ],
  [
    'overlap where sampling reaches training',
    {},
    { rl: { overlap: true, importanceCap: 2 } },
    /rl\.overlap: .*puts its weights into the one that is trained: leave rl\.overlap out/,
  ],
  ['a protocol of earlier times', { jsonOnly: true }, {}, /speaks the Tinker protocol of SDK 0\.25/],
  [
    'a protocol of later times',
    { leastSdk: '0.38.0' },
    {},
    /create_session with 400: .*version 0\.25\.0 is no longer supported.*speaks the Tinker protocol of SDK 0\.25/,
  ],
])('refuses %s', async (_what, behaviour, changes, message) => {
  await expect(examined(behaviour, changes)).rejects.toThrow(message);
});
