/** Several engines at one task queue: each step's work is done once, by the engine that can go on from the step before. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { type PolicyRef, TASK_QUEUE } from '../../activities/contract/index.js';
import { createActivities } from '../../activities/index.js';
import { handOn } from '../../workers/hand-on.js';
import { curriculum } from '../../workflows/index.js';
import { driveRun } from '../support/drive.js';
import { FakeEngine } from '../support/fake-engine.js';
import { startControlWorker, startGpuWorker } from '../support/gpu-workers.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, type TestServer } from '../support/temporal-server.js';

/** What becomes of an activity at that attempt. */
const offered = (attempt: number, work: () => Promise<unknown> = async () => handOn('p7', 'p6')): Promise<unknown> =>
  new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') })
    .run(work)
    .then(() => 'taken')
    .catch((error: unknown) => error);

test('an activity is handed on twice, and then taken', async () => {
  for (const attempt of [1, 2]) {
    const failure = await offered(attempt);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    // Of no interest to whoever watches for failures, and tried again without delay.
    expect(failure).toMatchObject({ type: 'HandedOn', nonRetryable: false, category: 'BENIGN' });
    expect((failure as ApplicationFailure).message).toBe('The engine holds p6 and not p7: handed on.');
  }
  expect(await offered(3)).toBe('taken');
});

describe('a snapshot', () => {
  let small: SmallRun;
  let final: PolicyRef;
  beforeEach(async () => {
    small = await smallRun();
    ({ final } = await driveRun(small));
  });
  afterEach(() => small.remove());

  const stage = { run: 'run', stage: 'phase-2', attempt: 1 };
  const asked = () => {
    const { snapshot } = createActivities({ ...small.deps, handOn });
    return offered(1, () => snapshot({ stage, policy: final }));
  };
  const gone = () => rm(join(small.store.root, 'runs/run/checkpoints', final.name), { recursive: true });

  test('that is there is for any engine to find', async () => {
    small.engine.forget();
    expect(await asked()).toBe('taken');
  });

  test('that is not, is for the engine that holds the policy to write, and for any other to hand on', async () => {
    await gone();
    expect(await asked()).toBe('taken');
    await gone();
    small.engine.forget();
    const before = small.engine.calls.length;
    expect(await asked()).toMatchObject({ type: 'HandedOn' });
    expect(small.engine.calls.slice(before)).toEqual(['status']);
  });
});

describe('a run with two engines', () => {
  let server: TestServer;
  let small: SmallRun;
  beforeAll(async () => {
    server = await startServer();
    small = await smallRun();
  });
  afterAll(async () => {
    await server?.env.teardown();
    await small.remove();
  });

  /** How often the engines trained in a run of that name. */
  async function trained(workflowId: string, engines: FakeEngine[]): Promise<number> {
    const gpu = engines.map(engine => startGpuWorker(server, small, engine));
    const stops = [await startControlWorker(server, small), ...(await Promise.all(gpu))];
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
