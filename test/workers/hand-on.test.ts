/** Several engines at one task queue: each step's work is done once, by the engine that can go on from the step before. */
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Engine } from '../../activities/engine/protocol.js';
import { createControlActivities } from '../../activities/index.js';
import { gpuWork } from '../../workers/gpu.js';
import { handOn } from '../../workers/hand-on.js';
import type { Work } from '../../workers/worker.js';
import { TASK_QUEUE } from '../../workflows/contract.js';
import { curriculum } from '../../workflows/index.js';
import { FakeEngine } from '../support/fake-engine.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, type TestServer } from '../support/temporal-server.js';

const POLICY = { name: 'p7', uri: 'store:runs/r/checkpoints/p7', sha256: '7' };

/** What becomes of an activity at that attempt, on an engine that has so much loaded. */
async function offered(tag: string | null | Error, attempt: number, input: unknown = { policy: POLICY }) {
  const call = async () => {
    if (tag instanceof Error) throw tag;
    return { tag };
  };
  const { inbound } = handOn({ call } as unknown as Engine)({ info: { attempt } } as unknown as Context);
  return inbound!.execute!({ args: [input], headers: {} }, async () => 'taken').catch((error: unknown) => error);
}

test.each(['p7', 'p7/fresh'])('an engine that holds the policy (as %s) takes the activity', async tag => {
  expect(await offered(tag, 1)).toBe('taken');
});

test.each([null, 'p6', 'p7#2', 'numerics'])(
  'one that does not (%j) hands it on twice, and then takes it',
  async tag => {
    for (const attempt of [1, 2]) {
      const failure = await offered(tag, attempt);
      expect(failure).toBeInstanceOf(ApplicationFailure);
      // Of no interest to whoever watches for failures, and tried again without delay.
      expect(failure).toMatchObject({ type: 'HandedOn', nonRetryable: false, category: 'BENIGN' });
      expect((failure as ApplicationFailure).message).toContain('p7: handed on');
    }
    expect(await offered(tag, 3)).toBe('taken');
  },
);

test('what needs no policy is taken by any engine, and by one that does not answer', async () => {
  expect(await offered(null, 1, { run: 'r' })).toBe('taken');
  expect(await offered(null, 1, null)).toBe('taken');
  expect(await offered(new Error('the engine ended'), 1)).toBe('taken');
});

async function start(connection: NativeConnection, { interceptors, ...work }: Work): Promise<() => Promise<void>> {
  const worker = await Worker.create({ connection, ...work, interceptors: { activity: interceptors ?? [] } });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

describe('a run with two engines', () => {
  let server: TestServer;
  let small: SmallRun;
  beforeAll(async () => {
    server = await startServer(['history.timerProcessorMaxTimeShift="10ms"']);
    small = await smallRun();
  });
  afterAll(async () => {
    await server?.env.teardown();
    await small.remove();
  });

  const startControl = () =>
    start(server.env.nativeConnection, {
      taskQueue: TASK_QUEUE,
      workflowBundle: server.bundle,
      activities: createControlActivities(small.deps),
    });

  /** By a connection of its own, as a worker elsewhere. */
  async function startEngine(engine: FakeEngine): Promise<() => Promise<void>> {
    const connection = await NativeConnection.connect({ address: server.env.address });
    const stop = await start(connection, gpuWork({ ...small.deps, engine }));
    return async () => {
      await stop();
      await connection.close();
    };
  }

  /** How often the engines trained in a run of that name. */
  async function trained(workflowId: string, engines: FakeEngine[]): Promise<number> {
    const stops = [await startControl(), ...(await Promise.all(engines.map(startEngine)))];
    const { workflow } = server.env.client;
    await (await workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] })).result();
    await Promise.all(stops.map(stop => stop()));
    const calls = engines.flatMap(engine => engine.calls);
    return calls.filter(call => call === 'sft' || call === 'update').length;
  }

  test('trains about as often as one with a single engine; taking turns it would be nearly twice', async () => {
    const alone = await trained('alone', [new FakeEngine()]);
    expect(alone).toBeGreaterThan(10);
    expect(await trained('together', [new FakeEngine(), new FakeEngine()])).toBeLessThan(1.4 * alone);
  });
});
