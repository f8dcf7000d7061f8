import { TASK_QUEUE } from '../../activities/contract/index.js';
import { curriculum } from '../../workflows/index.js';
import type { PhaseInput } from '../../workflows/phase.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;

beforeAll(async () => {
  // The server suggests to continue as new after 40 events instead of 4,096.
  server = await startServer(['limit.historyCount.suggestContinueAsNew=40']);
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await small.remove();
});

test('long stages continue as new, and every step is made once', async () => {
  const { client } = server.env;
  const spec = {
    ...small.spec,
    warmup: { ...small.spec.warmup, epochs: 4 },
    phases: [{ maxTokens: 60, steps: 12 }],
    evaluation: {},
    // Of short steps an activity takes as many as there are to the next snapshot.
    checkpoints: { everySteps: 1 },
  };
  const handle = await client.workflow.start(curriculum, {
    workflowId: 'long',
    taskQueue: TASK_QUEUE,
    args: [spec],
  });
  const { stages } = await handle.result();
  expect(stages.map(({ name, steps }) => [name, steps])).toEqual([
    ['warmup', 12],
    ['phase-1', 12],
  ]);
  for (const id of ['long/warmup/1', 'long/phase-1/1']) {
    const executions = [];
    for await (const execution of client.workflow.list({ query: `WorkflowId = "${id}"` })) executions.push(execution);
    expect(executions.filter(({ status }) => status.name === 'CONTINUED_AS_NEW').length).toBeGreaterThan(1);
    for (const { historyLength } of executions) expect(historyLength).toBeLessThan(100);
  }
  expect(small.engine.calls.filter(call => call === 'sft')).toHaveLength(12);
  expect((await small.store.list('store:runs/long/phase-1/1/steps')).length).toBe(12);
});

test('what a snapshot cost and the work since the last are known to who continues', async () => {
  const { client } = server.env;
  const spec = {
    ...small.spec,
    warmup: { ...small.spec.warmup, epochs: 4 },
    phases: [{ maxTokens: 60, steps: 12 }],
    evaluation: {},
    checkpoints: { everySteps: 'auto', meanTimeBetweenFailures: 1e-12 },
  };
  await (await client.workflow.start(curriculum, { workflowId: 'auto', taskQueue: TASK_QUEUE, args: [spec] })).result();
  for (const id of ['auto/warmup/1', 'auto/phase-1/1']) {
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    const [payload] = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads!;
    const { position } = JSON.parse(Buffer.from(payload!.data!).toString()) as PhaseInput;
    // Every step is followed by a snapshot here.
    expect(position!.clock).toEqual({ cost: expect.any(Number), worked: 0, redo: 0 });
    await replay(server, id);
  }
});
