/** What a service is found to do, of servers that differ in everything the protocol leaves open; and what is refused of it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LORA, DEFAULT_OPTIMIZER, type ServiceNeeds } from '../../../../activities/engine/protocol/index';
import { createTinkerEngine } from '../../../../activities/engine/tinker/engine';
import { goldenFolder } from '../../../support/golden';
import { lossOf } from '../../../support/rollouts';
import { type Behaviour, SERVERS, TinkerServer } from '../../../support/tinker-server';

jest.setTimeout(300_000);

const directory = goldenFolder('llama');
const needs: ServiceNeeds = {
  model: 'base',
  adapter: { ...DEFAULT_LORA, rank: 4, targetModules: 'all-linear' },
  contextLength: 256,
  losses: [lossOf('grpo')],
  optimizers: [{ ...DEFAULT_OPTIMIZER, learningRate: 1e-3 }],
  samplings: [],
};

let first: TinkerServer;
let stateFolder: string;
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'tinker-'));
});
afterEach(() => rm(stateFolder, { recursive: true }));

async function examine(behaviour: Partial<Behaviour>, over: Partial<ServiceNeeds> = {}) {
  const server = await first.another(behaviour);
  const environment = { KEY: server.behaviour.key ?? '' };
  const keyVariable = server.behaviour.key === null ? null : 'KEY';
  const engine = createTinkerEngine({ url: server.url, keyVariable, environment, stateFolder, patience: 1 });
  try {
    return await engine.examine({ ...needs, ...over });
  } finally {
    await engine.close();
    await server.stop();
  }
}

const FOUND: Record<keyof typeof SERVERS, string[]> = {
  SkyRL: ['mean over sequences of token means of a step', 'clips no gradients', 'at temperature 1', 'leaves gradients'],
  'SkyRL on GPUs': ['gradients: sum', 'clips no gradients', 'at the sampling temperature'],
  hosted: ['gradients: sum', 'clips gradients', 'at the sampling temperature'],
  TuFT: ['mean over tokens of a call', 'clips no gradients', 'at the sampling temperature'],
};

test.each(Object.keys(FOUND) as (keyof typeof SERVERS)[])('%s is found to do what it does', async name => {
  const { found, lacks, tolerance } = await examine(SERVERS[name]);
  for (const part of FOUND[name]) expect(found).toContain(part);
  expect(lacks).toEqual([]);
  expect(tolerance).toBe(1e-5);
});

test.each([
  ['mean of sums', 'step', 'mean over sequences of token sums of a step'],
  ['mean of sums', 'call', 'mean over sequences of token sums of a call'],
  ['sum of means', 'step', 'sum over sequences of token means'],
  ['mean of means', 'call', 'mean over sequences of token means of a call'],
  ['token mean', 'step', 'mean over tokens of a step'],
] as const)('gradients that are a %s of a %s are told from all others', async (reduction, reducedOver, words) => {
  expect((await examine({ reduction, reducedOver })).found).toContain(words);
});

test('weight decay that stays with its model is no matter', async () => {
  const optimizers = [{ ...DEFAULT_OPTIMIZER, learningRate: 1e-3, weightDecay: 0.1 }];
  expect((await examine({ decaysAll: false }, { optimizers })).lacks).toEqual([]);
});

test.each(['SkyRL on GPUs', 'hosted', 'TuFT'] as const)('%s may sample while it trains', async name => {
  expect((await examine(SERVERS[name], { overlap: true })).lacks).toEqual([]);
});

test.each<[string, Partial<Behaviour>, RegExp]>([
  ['puts an older policy into training', SERVERS.SkyRL, /sampling from an older policy puts its weights into the one/],
  ['knows the newest policy alone', { samplesNewest: true }, /samples from the newest policy where an older one is/],
  ['loses what waits for a step', { samplesOverGradients: true }, /changes the gradient: its norm is 0\.00/],
  ['keeps nothing of an unloaded model', { samplersEndWithModel: true }, /no policy whose model model_\d+ is unloaded/],
])('a service that %s when it samples is not asked to do both at once', async (_what, behaviour, problem) => {
  const { lacks } = await examine({ ...SERVERS.hosted, ...behaviour }, { overlap: true });
  expect(lacks).toEqual([{ need: 'overlap', problem: expect.stringMatching(problem) }]);
  expect((await examine({ ...SERVERS.hosted, ...behaviour })).lacks).toEqual([]);
});

const adapter = needs.adapter!;
test.each<[string, Partial<Behaviour>, Partial<ServiceNeeds>, string, RegExp]>([
  [
    'a model that is not served',
    {},
    { model: 'Qwen/Qwen3-8B' },
    'model',
    /does not serve the model "Qwen\/Qwen3-8B"; it serves "base"/,
  ],
  ['full training', {}, { adapter: null }, 'adapter', /the run trains all weights/],
  ['too large a rank', {}, { adapter: { ...adapter, rank: 64 } }, 'adapter', /rank 64 exceeds the limit of 32/],
  ['another alpha', {}, { adapter: { ...adapter, alpha: 16 } }, 'adapter', /alpha 32, and alpha 16 is wanted/],
  ['other layers', {}, { adapter: { ...adapter, targetModules: ['q_proj'] } }, 'adapter', /of q_proj are wanted/],
  ['a longer context', { contextLength: 128 }, {}, 'contextLength', /context of 128 tokens, and the run needs 256/],
  ['another temperature', {}, { losses: [lossOf('grpo', { temperature: 0.7 })] }, 'losses', /temperature 0.7/],
  [
    'weight decay that reaches other models',
    {},
    { optimizers: [{ ...DEFAULT_OPTIMIZER, learningRate: 1e-3, weightDecay: 0.1 }] },
    'optimizers',
    /one model's weight decay shrinks all others/,
  ],
  ['no room for a model', { slots: 0 }, {}, 'adapter', /Maximum number of LoRA adapters .* Raise its limit/],
  ['no gradient norm', { normMetric: null }, {}, 'adapter', /reports no gradient norm/],
  ['an older protocol', { jsonOnly: true }, {}, 'adapter', /SDK 0.25/],
])('%s is named before anything is spent', async (_what, behaviour, over, need, problem) => {
  const { lacks } = await examine(behaviour, over);
  expect(lacks.map(lack => lack.need)).toEqual([need]);
  expect(lacks[0]!.problem).toMatch(problem);
});

describe('one clear message', () => {
  const at = (url: string, keyVariable: string | null = null, environment = {}) =>
    createTinkerEngine({ url, keyVariable, environment, stateFolder, patience: 0.1 });

  test('of no service', async () => {
    const engine = at('http://127.0.0.1:9');
    await expect(engine.examine(needs)).rejects.toThrow(
      /^the training service at http:\/\/127.0.0.1:9 cannot be reached: .*ECONNREFUSED/,
    );
  });

  test('of an address that is none, or holds a password', () => {
    expect(() => at('trainer')).toThrow(/address is "trainer"; expected one such as/);
    expect(() => at('http://me:secret-word@trainer')).toThrow(/address is "http:\/\/…@trainer"/);
  });

  test('of a key that is missing, and of one that is refused, which it does not repeat', async () => {
    expect(() => at('http://trainer', 'KEY')).toThrow(
      /variable KEY, which holds the key for http:\/\/trainer, is not set/,
    );
    const server = await first.another(SERVERS.hosted);
    const engine = at(server.url, 'KEY', { KEY: 'tml-another-key-entirely' });
    const error = await engine.examine(needs).then(
      ({ lacks }) => lacks[0]!.problem,
      (e: Error) => e.message,
    );
    await server.stop();
    expect(error).toMatch(/answered get_server_capabilities with 401: .*Invalid API key \[key\].*Set the key/s);
  });

  test('of a server that is something else', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end('<html>Not here</html>'));
    await new Promise<void>(started => other.listen(0, '127.0.0.1', started));
    const engine = at(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
    await expect(engine.serves()).rejects.toThrow(
      /with 404: <html>Not here<\/html>. Is it a training service that speaks the Tinker protocol/,
    );
    other.close();
  });
});
