/** Beginning and watching runs on a real server, with a workflow that does as the test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type Progress, TASK_QUEUE } from '../../../activities/contract/index';
import type { RunSpec } from '../../../activities/spec/run-spec';
import { adviceLines } from '../../../infra/local/advice';
import { beginRun } from '../../../infra/local/begin-run';
import { type Stack, startStack } from '../../../infra/local/stack';
import { follow } from '../../../infra/view/follow';
import { plannedStepsOf } from '../../../infra/view/planned-steps';
import { type Screen, screenOn } from '../../../infra/view/screen';

let state: string;
let stack: Stack;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let worker: Worker;
let working: Promise<void>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') }); // failing workflows are meant here
  state = await mkdtemp(join(tmpdir(), 'longhaul-follow-'));
  stack = await startStack({ state, store: join(state, 'store'), workers: [], log: () => {} });
  connection = await Connection.connect({ address: stack.address });
  native = await NativeConnection.connect({ address: stack.address });
  client = new Client({ connection });
  worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowsPath: require.resolve('./fixtures/scripted-curriculum'),
  });
  working = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await working;
  await native.close();
  await connection.close();
  await stack.stop();
  await rm(state, { recursive: true, force: true });
});

const spec = (seed: number) => ({ seed }) as RunSpec;
const tell = (run: string, progress: object) => client.workflow.getHandle(run).signal('tell', progress);
const end = (run: string, error: string | null) => client.workflow.getHandle(run).signal('end', error);

function pipe(): { screen: Screen; text: () => string } {
  let written = '';
  const screen = screenOn({
    write: (chunk: string | Uint8Array) => {
      written += String(chunk);
      return true;
    },
  });
  return { screen, text: () => written };
}

test('a run is started once, found again, and started again only where it ended without success', async () => {
  expect(await beginRun(client, 'once', spec(1))).toEqual({ how: 'started', otherSpec: false });
  expect(await beginRun(client, 'once', spec(1))).toEqual({ how: 'resumed', otherSpec: false });
  expect(await beginRun(client, 'once', spec(2))).toEqual({ how: 'resumed', otherSpec: true });
  await client.workflow.getHandle('once').terminate();
  expect(await beginRun(client, 'once', spec(1))).toEqual({ how: 'again', otherSpec: false });
  await end('once', 'broken');
  await client.workflow
    .getHandle('once')
    .result()
    .catch(() => {});
  expect(await beginRun(client, 'once', spec(1))).toEqual({ how: 'again', otherSpec: false });
  await end('once', null);
  await client.workflow.getHandle('once').result();
  expect(await beginRun(client, 'once', spec(1))).toEqual({ how: 'finished', otherSpec: false });
});

test('how many steps phases take is read off the spec that a run was begun with', async () => {
  await beginRun(client, 'planned', { phases: [{ steps: 3 }, { steps: 5 }] } as RunSpec);
  expect(await plannedStepsOf(client, 'planned')).toEqual({ 'phase-1': 3, 'phase-2': 5 });
  for (const [run, input] of Object.entries({ preset: { preset: 'tiny' }, branch: { from: 'planned/phase-2' } })) {
    await beginRun(client, run, input);
    expect(await plannedStepsOf(client, run)).toEqual({});
  }
});

test('watching tells each change and ends with the result', async () => {
  await beginRun(client, 'watched', spec(1));
  const { screen, text } = pipe();
  const signal = new AbortController().signal;
  const following = follow({ client, run: 'watched', screen, signal, advice: adviceLines });
  await until(() => text().includes('watched: running'));
  await tell('watched', { stages: [{ name: 'phase-1', kind: 'phase', state: 'running', attempt: 1, latest: null }] });
  await until(() => text().includes('phase-1: running'));
  await end('watched', null);
  await expect(following).resolves.toMatchObject({ kind: 'done', result: { policy: { sha256: 'abc' } } });
  expect(text()).toBe('watched: running\nphase-1: running\n');
});

test('the evaluation that a run is at is told as it goes, its scores as they come, and once', async () => {
  const row = (set: string, score: number) => ({ policy: 'sft', set, score, low: score - 8, high: score + 8 });
  const sets = (a: object, b: object) => [
    { name: 'short', total: 150, done: 0, state: 'waiting', ...a },
    { name: 'long', total: null, done: 0, state: 'waiting', ...b },
  ];
  await beginRun(client, 'scored', spec(1));
  await beginRun(client, 'scored/evaluation/sft', spec(1));
  const evaluating = async (now: object) => tell('scored/evaluation/sft', { evaluation: 'e', ...now });
  await evaluating({ rows: [], sets: sets({ state: 'answering', done: 3 }, {}) });
  const stage = { name: 'evaluation/sft', kind: 'evaluation', attempt: 1, latest: null };
  const workflowId = 'scored/evaluation/sft';
  await tell('scored', { stages: [{ ...stage, state: 'running', workflowId }] });
  const { screen, text } = pipe();
  const following = follow({
    ...{ client, run: 'scored', screen, advice: adviceLines },
    signal: new AbortController().signal,
  });
  await until(() => text().includes('3 of 150'));
  await evaluating({ sets: sets({ state: 'answering', done: 77 }, {}) });
  await until(() => text().includes('77 of 150'));
  await evaluating({
    rows: [row('short', 60)],
    sets: sets({ state: 'done', done: 150 }, { state: 'answering', done: 8 }),
  });
  await until(() => text().includes('answering, 8\n'));
  // What it shares is written before its rows are the run's.
  await tell('scored', { stages: [{ ...stage, state: 'done', workflowId }] });
  await until(() => text().includes('sft: done'));
  await tell('scored', { table: [row('short', 60), row('long', 40)] as Progress['table'] });
  await until(() => text().includes('long 40.0'));
  await end('scored', null);
  await following;
  await end('scored/evaluation/sft', null);
  expect(text()).toBe(`\
scored: running evaluation/sft
evaluation/sft: running
evaluation/sft: short answering, 3 of 150
evaluation/sft: short answering, 77 of 150
evaluation/sft: short 60.0 [52.0, 68.0]
evaluation/sft: long answering, 8
evaluation/sft: done
evaluation/sft: long 40.0 [32.0, 48.0]
`);
});

test('a run that failed gives the innermost reason', async () => {
  await beginRun(client, 'failing', spec(1));
  await end('failing', 'phases[0].steps: expected more than 0');
  const { screen } = pipe();
  const signal = new AbortController().signal;
  await expect(follow({ client, run: 'failing', screen, signal, advice: adviceLines })).resolves.toEqual({
    kind: 'ended',
    status: 'FAILED',
    reason: 'phases[0].steps: expected more than 0',
  });
});

test('without a terminal, a run that waits for a person is left with the commands to give', async () => {
  await beginRun(client, 'waiting', spec(1));
  const advice = 'phase-1 failed for good: no signal\n  temporal workflow update execute --workflow-id waiting';
  await tell('waiting', { state: 'awaiting-replay', advice });
  const { screen, text } = pipe();
  const signal = new AbortController().signal;
  await expect(follow({ client, run: 'waiting', screen, signal, advice: adviceLines })).resolves.toEqual({
    kind: 'waiting',
  });
  expect(text()).toBe(`\
waiting: waiting for a replay

phase-1 failed for good: no signal
  npx longhaul temporal workflow update execute --workflow-id waiting
To give the run up:
  npx longhaul temporal workflow cancel --workflow-id waiting
`);
  await end('waiting', null);
});

test('watching stops when asked, and the run goes on', async () => {
  await beginRun(client, 'left', spec(1));
  const controller = new AbortController();
  const { screen, text } = pipe();
  const following = follow({ client, run: 'left', screen, signal: controller.signal, advice: adviceLines });
  await until(() => text() !== '');
  controller.abort();
  await expect(following).resolves.toEqual({ kind: 'stopped' });
  expect((await client.workflow.getHandle('left').describe()).status.name).toBe('RUNNING');
});

test('a run that no worker answers for is waited for, not given up', async () => {
  await client.workflow.start('curriculum', { workflowId: 'alone', taskQueue: 'nobody' });
  const controller = new AbortController();
  const { screen, text } = pipe();
  const following = follow({ client, run: 'alone', screen, signal: controller.signal, advice: adviceLines });
  await until(() => text() !== '');
  controller.abort();
  await expect(following).resolves.toEqual({ kind: 'stopped' });
  expect(text()).toBe('No worker answers for the run yet; trying again.\n');
});

test('a server that is away is waited for until it is known to be gone', async () => {
  const other = await mkdtemp(join(tmpdir(), 'longhaul-away-'));
  const away = await startStack({ state: other, store: join(other, 'store'), workers: [], log: () => {} });
  const line = await Connection.connect({ address: away.address });
  try {
    const theirs = new Client({ connection: line });
    await theirs.workflow.start('curriculum', { workflowId: 'lost', taskQueue: TASK_QUEUE });
    await away.stop();
    const { screen, text } = pipe();
    const { signal } = new AbortController();
    const gone = () => (text() === '' ? null : 'its process has ended');
    await expect(follow({ client: theirs, run: 'lost', screen, signal, advice: adviceLines, gone })).resolves.toEqual({
      kind: 'ended',
      status: 'GONE',
      reason: 'its process has ended',
    });
    expect(text()).toMatch(/^The server does not answer \(.+\); trying again\.\n$/);
  } finally {
    await line.close();
    await rm(other, { recursive: true, force: true });
  }
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 50));
}
