/**
 * A service that is killed, that answers from its database what it no longer knows, whose promises hang or are forgotten, and
 * workers that end: a fault at every request of a step, one after the other, and in the end the weights of a run without any.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_LORA,
  DEFAULT_OPTIMIZER,
  type Engine,
  EngineLostError,
  EngineRequestError,
} from '../../../../activities/engine/protocol/index';
import { randomStream } from '../../../../activities/engine/random';
import { createTinkerEngine } from '../../../../activities/engine/tinker/engine';
import type { CallLog, JournalRecord } from '../../../../activities/engine/tinker/journal';
import { goldenFolder } from '../../../support/golden';
import { type Behaviour, type Fault, SERVERS, TinkerServer } from '../../../support/tinker-server';

jest.setTimeout(300_000);

const directory = goldenFolder('llama');
const LORA = { ...DEFAULT_LORA, rank: 2 };
/** A step without faults has twenty. */
const STEPS = 22;
const TRIES = 6;

let first: TinkerServer;
let folder: string;
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tinker-faults-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Its time passes by waiting alone, which takes an eightieth of it. */
function engineOf(server: TinkerServer, log: CallLog = memoryLog()) {
  let now = 0;
  return createTinkerEngine(
    {
      url: server.url,
      keyVariable: server.behaviour.key === null ? null : 'KEY',
      environment: { KEY: server.behaviour.key ?? '' },
      stateFolder: folder,
      longestCall: 60,
      clock: {
        now: () => now,
        sleep: (ms: number) => {
          now += ms;
          return new Promise<void>(done => setTimeout(done, ms / 80));
        },
      },
    },
    log,
  );
}

/** Durable as long as the test. */
function memoryLog(): CallLog {
  let records: JournalRecord[] = [];
  return {
    read: async () => records,
    begin: async record => {
      records = [record];
    },
    append: async record => {
      records.push(record);
    },
  };
}

const nameOf = (step: number): string => `policy ${step}`;

function examplesOf(step: number) {
  const random = randomStream('faults', step);
  const ids = (length: number) => Array.from({ length }, () => 2 + random.below(300));
  return [{ promptIds: ids(5), responseIds: ids(6) }];
}

/** A step as the pipeline makes it: the policy before it is had from the engine, else from the log of all steps. */
async function takeStep(engine: Engine, step: number): Promise<number> {
  const { tag } = await engine.call('status', {});
  if (tag !== nameOf(step - 1)) await rebuild(engine, step - 1);
  const sampling = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 2, stopIds: [] };
  await engine.call('generate', {
    prompts: [{ ids: examplesOf(step)[0]!.promptIds, seed: `${step}` }],
    group: 1,
    sampling,
  });
  return train(engine, step);
}

let redone = 0;

async function rebuild(engine: Engine, upTo: number): Promise<void> {
  const fresh = { settings: LORA, seed: 3, baseModel: 'base' };
  await engine.call('load', { directory, served: 'base', adapter: { fresh }, tag: nameOf(0) });
  redone += upTo;
  for (let step = 1; step <= upTo; step++) await train(engine, step);
}

async function train(engine: Engine, step: number): Promise<number> {
  const optimizer = { ...DEFAULT_OPTIMIZER, learningRate: 1e-2, maxGradNorm: step % 5 === 0 ? 0.1 : 0 };
  const { optimizerStep } = await engine.call('sft', {
    examples: examplesOf(step),
    optimizer,
    microBatchTokens: 4096,
    tag: nameOf(step),
  });
  return optimizerStep;
}

/** Tries as the pipeline does: what is lost is worth another try, all else is not. */
async function tried(take: () => Promise<number>): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await take();
    } catch (error) {
      const worthIt =
        error instanceof EngineLostError || (error instanceof EngineRequestError && error.code === 'not-loaded');
      if (!worthIt || tries === TRIES) throw error;
    }
  }
}

async function weightsOf(engine: Engine): Promise<string> {
  const saved = await engine.call('save', { directory: await mkdtemp(join(folder, 'saved-')), withOptimizer: true });
  return saved.sha256;
}

/** The weights after all steps on a server without faults. */
const undisturbed = new Map<Behaviour, string>();

async function withoutFaults(behaviour: Behaviour): Promise<string> {
  const known = undisturbed.get(behaviour);
  if (known) return known;
  const server = await first.another(behaviour);
  const engine = engineOf(server);
  for (let step = 1; step <= STEPS; step++) await takeStep(engine, step);
  const weights = await weightsOf(engine);
  await engine.close();
  await server.stop();
  undisturbed.set(behaviour, weights);
  return weights;
}

/** Steps with this fault at one request each: at the first in the second step, at the next in the one after, and so on. */
async function withFaults(behaviour: Behaviour, fault: Fault) {
  const server = await first.another(behaviour);
  const engine = engineOf(server);
  await tried(() => takeStep(engine, 1));
  redone = 0;
  let faults = 0;
  for (let step = 2; step <= STEPS; step++) {
    const at = server.requests.length + step - 2;
    server.fault = (_request, index) => {
      if (index !== at) return null;
      faults++;
      return fault;
    };
    expect(await tried(() => takeStep(engine, step))).toBe(step);
    server.fault = () => null;
  }
  const weights = await weightsOf(engine);
  await engine.close();
  await server.stop();
  return { weights, faults };
}

test.each<[Fault, string]>([
  ['ends before', 'SkyRL'],
  ['ends after', 'SkyRL'],
  ['breaks after', 'SkyRL'],
  ['hangs', 'SkyRL'],
  ['forgets', 'SkyRL'],
  ['fails', 'SkyRL'],
  ['ends before', 'TuFT'],
  ['ends after', 'TuFT'],
])('each request of a step %s on %s: no step is lost, and none taken twice', async (fault, name) => {
  const behaviour = SERVERS[name as keyof typeof SERVERS];
  const { weights, faults } = await withFaults(behaviour, fault);
  expect(faults).toBeGreaterThan(18);
  expect(redone).toBe(0);
  expect(weights).toBe(await withoutFaults(behaviour));
});

test('a worker that ends at a request is followed by another, which goes on from the last policy that was whole', async () => {
  const server = await first.another(SERVERS.SkyRL);
  const log = memoryLog();
  let engine = engineOf(server, log);
  await takeStep(engine, 1);
  redone = 0;
  // Every fourth request, so that each kind of call is met.
  for (let step = 2; step <= STEPS; step++) {
    const at = server.requests.length + 4 * (step - 2);
    const ends = new AbortController();
    server.fault = (_request, index) => {
      if (step <= 6 && index === at) ends.abort(new Error('the worker ended'));
      return null;
    };
    const watched: Engine = { ...engine, call: (name, request) => engine.call(name, request, { signal: ends.signal }) };
    await takeStep(watched, step).catch(async error => {
      expect(error).toEqual(new Error('the worker ended'));
      await engine.close();
      engine = engineOf(server, log);
      const { tag } = await engine.call('status', {});
      if (tag !== nameOf(step)) expect(await takeStep(engine, step)).toBe(step);
    });
  }
  const weights = await weightsOf(engine);
  await engine.close();
  await server.stop();
  expect(redone).toBe(0);
  expect(weights).toBe(await withoutFaults(SERVERS.SkyRL));
});
