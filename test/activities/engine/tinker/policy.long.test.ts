/** The policy on a service: what else befalls it there, and what is saved of it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LORA, DEFAULT_OPTIMIZER, type Engine } from '../../../../activities/engine/protocol/index';
import { createTinkerEngine } from '../../../../activities/engine/tinker/engine';
import { goldenFolder } from '../../../support/golden';
import { ownEngine } from '../../../support/own-engine';
import { type Behaviour, SERVERS, TinkerServer } from '../../../support/tinker-server';

jest.setTimeout(300_000);

const directory = goldenFolder('llama');
const fresh = { fresh: { settings: { ...DEFAULT_LORA, rank: 2 }, seed: 3, baseModel: 'base' } };
const examples = [{ promptIds: [3, 4, 5], responseIds: [6, 7, 8] }];
const optimizer = { ...DEFAULT_OPTIMIZER, learningRate: 1e-2 };
const step = (k: number) => ({ examples, optimizer, microBatchTokens: 4096, tag: `policy ${k}` });
const SEQUENCES = [[3, 4, 5, 6, 7, 8]];

let first: TinkerServer;
let server: TinkerServer;
let folder: string;
let engines: Engine[];
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tinker-policy-'));
  engines = [];
  server = await first.another();
});
afterEach(async () => {
  for (const engine of engines) await engine.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function serving(behaviour: Partial<Behaviour>): Promise<void> {
  await server.stop();
  server = await first.another(behaviour);
}

function started(over: { concurrency?: number } = {}) {
  const stateFolder = join(folder, 'state');
  const engine = createTinkerEngine({
    url: server.url,
    keyVariable: null,
    environment: {},
    stateFolder,
    patience: 1,
    ...over,
  });
  engines.push(engine);
  return engine;
}

async function trained(steps = 2, engine: Engine = started()): Promise<Engine> {
  await engine.call('load', { directory, served: 'base', adapter: fresh, tag: 'policy 0' });
  for (let k = 1; k <= steps; k++) await engine.call('sft', step(k));
  return engine;
}

const scores = async (engine: Engine) => (await engine.call('logprobs', { sequences: SEQUENCES })).logprobs[0]!;

test('a worker that is started again goes on with what it had there, optimiser and all', async () => {
  const engine = await trained();
  const before = await scores(engine);
  await engine.close();
  const next = started();
  expect(await next.call('status', {})).toMatchObject({ tag: 'policy 2', reference: null });
  expect(await scores(next)).toEqual(before);
  expect((await next.call('sft', step(3))).optimizerStep).toBe(3);
  const after = await scores(next);
  const straight = await trained(3);
  expect(await scores(straight)).toEqual(after);
});

test('a worker that ended between gradient and step begins the step anew from the policy before it', async () => {
  const engine = await trained();
  const ended = new AbortController();
  server.fault = ({ path }) => {
    if (path === 'optim_step') ended.abort(new Error('the worker ended'));
    return null;
  };
  await expect(engine.call('sft', step(3), { signal: ended.signal })).rejects.toThrow('the worker ended');
  server.fault = () => null;
  await engine.close();
  const next = started();
  expect((await next.call('status', {})).tag).toBe('policy 2');
  expect((await next.call('sft', step(3))).optimizerStep).toBe(3);
  const after = await scores(next);
  expect(await scores(await trained(3))).toEqual(after);
});

test.each([
  ['the same worker', false],
  ['one that is started again', true],
])('a load that did not end leaves no model there: %s', async (_who, isAnother) => {
  const engine = await trained();
  const saved = join(folder, 'saved');
  await engine.call('save', { directory: saved, withOptimizer: true });
  const request = { directory, served: 'base', adapter: { directory: saved }, tag: 'policy 2' };
  const ended = new AbortController();
  server.fault = ({ path }) => {
    if (path === 'load_weights') ended.abort(new Error('the load was cancelled'));
    return null;
  };
  await expect(engine.call('load', request, { signal: ended.signal })).rejects.toThrow('the load was cancelled');
  server.fault = () => null;
  const next = isAnother ? started() : engine;
  expect((await next.call('status', {})).tag).toBeNull();
  await next.call('load', request);
  expect(server.state.live.size).toBe(1);
});

test('a service that lost database and checkpoints too: the policy is gone, and says so', async () => {
  const engine = await trained();
  server.state.restart();
  server.state.checkpoints.clear();
  expect((await engine.call('status', {})).tag).toBe('policy 2');
  await expect(engine.call('sft', step(3))).rejects.toThrow(
    /Checkpoint not found.* The policy is made again from the run's own log/,
  );
  expect((await engine.call('status', {})).tag).toBeNull();
  await expect(engine.call('sft', step(3))).rejects.toMatchObject({ code: 'not-loaded' });
});

test("another model's weight decay is noticed, and the policy had back", async () => {
  const engine = await trained();
  const before = await scores(engine);
  for (const { adapter } of server.state.live.values())
    for (const { data } of adapter.tensors.values()) for (let i = 0; i < data.length; i++) data[i]! *= 0.975;
  expect((await engine.call('sft', step(3))).optimizerStep).toBe(3);
  const after = await scores(engine);
  expect(after).not.toEqual(before);
  expect(await scores(await trained(3))).toEqual(after);
});

test('gradients that another left behind reach no step', async () => {
  const clean = await trained(1);
  const expected = await scores(clean);
  await serving({ slots: 2 });
  const other = createTinkerEngine({
    url: server.url,
    keyVariable: null,
    environment: {},
    stateFolder: join(folder, 'other'),
  });
  engines.push(other);
  await other.call('load', { directory, served: 'base', adapter: fresh, tag: 'other' });
  const halfway = new AbortController();
  server.fault = ({ path }) => {
    if (path === 'optim_step') halfway.abort(new Error('halfway'));
    return null;
  };
  await expect(other.call('sft', step(9), { signal: halfway.signal })).rejects.toThrow('halfway');
  server.fault = () => null;
  for (const model of [...server.state.live.keys()]) server.state.unload(model);
  expect(await scores(await trained(1))).toEqual(expected);
});

test('the same weights are sampled before and after others were, and sampling moves none', async () => {
  const engine = await trained(1);
  const sampling = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 4, stopIds: [] };
  const sample = () => engine.call('generate', { prompts: [{ ids: [3, 4], seed: 'x' }], group: 2, sampling });
  const before = (await sample()).groups;
  const there = await scores(engine);
  expect((await sample()).groups).toEqual(before);
  expect(await scores(engine)).toEqual(there);
  await engine.call('sft', step(2));
  expect((await sample()).groups).not.toEqual(before);
});

test('what is sent a strict service is what it knows, and the rest is its defaults', async () => {
  await serving({ ...SERVERS.TuFT });
  await trained(1);
  expect(server.requests.map(({ path }) => path)).toContain('optim_step');
});

test('what the service kept for the engine alone is removed, and what a saved folder names stays', async () => {
  const engine = await trained(1);
  const saved = join(folder, 'saved');
  await engine.call('save', { directory: saved, withOptimizer: true });
  await engine.call('sft', step(2));
  await engine.call('sft', step(3));
  const named = JSON.parse(await readFile(join(saved, 'tinker.json'), 'utf8')).checkpoint;
  expect(named).toMatchObject({ rank: 2, step: 1, service: `the training service at ${server.url}` });
  expect([...server.state.checkpoints.keys()]).toHaveLength(2);
  expect(server.state.checkpoints.has(named.path)).toBe(true);
  await engine.call('load', {
    directory,
    served: 'base',
    adapter: { directory: saved },
    optimizer: saved,
    tag: 'again',
  });
  expect((await engine.call('sft', step(2))).optimizerStep).toBe(2);
});

test('a folder whose checkpoint is gone from the service says so by its address', async () => {
  const engine = await trained(1);
  const saved = join(folder, 'saved');
  await engine.call('save', { directory: saved, withOptimizer: true });
  server.state.checkpoints.clear();
  const load = engine.call('load', { directory, served: 'base', adapter: { directory: saved }, tag: 'again' });
  await expect(load).rejects.toMatchObject({ code: 'gone', message: expect.stringContaining('weights/') });
});

test('adapters that are on no service are refused', async () => {
  const own = ownEngine();
  await own.call('load', { directory, adapter: fresh, tag: 'own' });
  const saved = join(folder, 'own');
  await own.call('save', { directory: saved, withOptimizer: true });
  const load = started().call('load', { directory, served: 'base', adapter: { directory: saved }, tag: 'own' });
  await expect(load).rejects.toThrow(/own: holds no tinker.json with a checkpoint: .*no way to bring them there/);
});

test('a base is saved without its weights, and names what the service calls it', async () => {
  const engine = started();
  const saved = join(folder, 'base');
  await engine.call('load', { directory, served: 'base', tag: 'base' });
  const { file, sha256 } = await engine.call('save', { directory: saved, withOptimizer: false });
  expect([file, sha256.length]).toEqual(['tinker.json', 64]);
  await expect(engine.call('logprobs', { sequences: SEQUENCES })).rejects.toThrow(/load it with a fresh adapter/);
  await engine.call('load', { directory: saved, adapter: fresh, tag: 'policy 0' });
  expect((await engine.call('status', {})).model).toMatchObject({ architecture: 'llama', vocabularySize: 320 });
});

test('temperatures that a service does not train at are refused, and so are requests that fit no model', async () => {
  const engine = await trained(0);
  await expect(engine.call('logprobs', { sequences: SEQUENCES, temperature: 0.5 })).rejects.toThrow(/temperature 1/);
  await expect(engine.call('logprobs', { sequences: [[999]] })).rejects.toThrow(/holds the id 999/);
  const nothing = { examples: [{ promptIds: [1], responseIds: [] }], optimizer, microBatchTokens: 1, tag: 'x' };
  await expect(engine.call('sft', nothing)).rejects.toThrow(/a response is empty/);
  expect(await engine.call('logprobs', { sequences: [[7]] })).toEqual({ logprobs: [[null]] });
});

test('prompts are in flight together, up to a bound, and their responses stand in their order', async () => {
  const engine = await trained(1, started({ concurrency: 2 }));
  const sampling = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 3, stopIds: [] };
  const prompts = [3, 9, 27, 81, 243].map((id, k) => ({ ids: [id, id], seed: `prompt ${k}` }));
  const stop = new AbortController();
  let asked = 0;
  // None is answered: those that are asked for are all that are in flight.
  server.fault = ({ path }) => {
    if (path !== 'asample') return null;
    if (++asked === 2) setTimeout(() => stop.abort(new Error('enough')), 300);
    return 'hangs';
  };
  const hanging = engine.call('generate', { prompts, group: 2, sampling }, { signal: stop.signal });
  await expect(hanging).rejects.toThrow('enough');
  expect(asked).toBe(2);
  server.fault = () => null;
  const { groups } = await engine.call('generate', { prompts, group: 2, sampling });
  for (const [k, prompt] of prompts.entries()) {
    const alone = await engine.call('generate', { prompts: [prompt], group: 2, sampling });
    expect(groups[k]).toEqual(alone.groups[0]);
  }
});
