/** Evaluations by the clock, on a real server: two firings of a schedule, the second a regression. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { type FiringNotice, WEBHOOK_VARIABLE } from '../../activities/evaluation/notify.js';
import { main } from '../../infra/cli/main.js';
import { driveRun } from '../support/drive.js';
import { smallEvaluation } from '../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;
let webhook: Server;
const notices: FiringNotice[] = [];
/** What the webhook answers with, one each; 204 after them. */
let statuses: number[] = [];

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  webhook = createServer((request, response) => {
    let text = '';
    request.on('data', chunk => (text += chunk));
    request.on('end', () => {
      const status = statuses.shift() ?? 204;
      if (status === 204) notices.push(JSON.parse(text) as FiringNotice);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>(listening => webhook.listen(0, '127.0.0.1', listening));
  small.environment[WEBHOOK_VARIABLE] =
    `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook?secret=s3cret`;
  stopWorkers = await startWorkers(server, small);
  await driveRun(small, 'learner');
  await writeFile(join(small.folder, 'eval.json'), JSON.stringify(smallEvaluation(small)));
});
afterAll(async () => {
  await stopWorkers?.();
  webhook?.close();
  await server?.env.teardown();
  await small.remove();
});

/** Runs the command in this process; what it prints and its exit code. */
async function longhaul(...args: string[]): Promise<{ code: number; printed: string }> {
  let printed = '';
  const catching = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  const spies = [process.stdout, process.stderr].map(out => jest.spyOn(out, 'write').mockImplementation(catching));
  process.exitCode = 0;
  try {
    return { code: await main(['node', 'longhaul', ...args]), printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}

/** Firings are told apart by their second. */
const nextSecond = () => new Promise(resolve => setTimeout(resolve, 1000));

const onServer = () => ['--address', server.env.address];
const schedule = (...args: string[]) => longhaul('schedule', ...args, ...onServer());
const history = (...args: string[]) => longhaul('schedule', 'history', 'nightly', '--store', small.store.root, ...args);

test('two firings, the second a regression: the exit code, the history and the webhook say so', async () => {
  const spec = join(small.folder, 'eval.json');
  const created = await schedule('create', 'nightly', '--evaluation', spec, '--run', 'learner', '--cron', '0 3 * * *');
  expect(created).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/^nightly is created; it first fires at \d{4}-.*T03:00:00/),
  });
  const described = await server.env.client.schedule.getHandle('nightly').describe();
  expect(described.policies).toMatchObject({
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: 2 * 60 * 60 * 1000,
    pauseOnFailure: true,
  });

  const first = await schedule('trigger', 'nightly', '--wait');
  expect(first.printed).toContain('There is no firing before to compare with.');
  expect(first.printed).toContain('Webhook: delivered');
  expect(first.code).toBe(0);
  expect((await history()).code).toBe(0);

  // From now on the policy answers everything wrong.
  small.engine.monotonous = true;
  await nextSecond();
  statuses = [503];
  const second = await schedule('trigger', 'nightly', '--wait');
  expect(second.code).toBe(2);
  expect(second.printed).toContain('REGRESSION: worse than the firing before, beyond the noise (95 %).');
  expect(second.printed).toMatch(/questions: -\d+\.\d \[-\d+\.\d, -\d+\.\d\], beyond the noise \(30 items, paired\)/);

  expect(notices.map(({ schedule, regression }) => ({ schedule, regression }))).toEqual([
    { schedule: 'nightly', regression: false },
    { schedule: 'nightly', regression: true },
  ]);
  expect(notices[1]!.text).toMatch(/^nightly: learner scores 0\.0, .* a REGRESSION beyond the noise$/);
  const shown = await history();
  expect(shown.code).toBe(2);
  expect(shown.printed.split('\n').filter(line => /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ /.test(line))).toHaveLength(2);
  expect(shown.printed).toContain('REGRESSION');
  // The address of the webhook is a secret of the worker's.
  expect(JSON.stringify(JSON.parse((await history('--format', 'json')).printed))).not.toContain('s3cret');

  // A regression is no failure: the schedule goes on, and an equal night after it is none.
  expect((await server.env.client.schedule.getHandle('nightly').describe()).state.paused).toBe(false);
  await nextSecond();
  const third = await schedule('trigger', 'nightly', '--wait');
  expect(third.code).toBe(0);
  expect(third.printed).toContain('questions: +0.0 [+0.0, +0.0], within the noise');
  expect((await history()).code).toBe(0);
  small.engine.monotonous = false;

  const { info } = await server.env.client.schedule.getHandle('nightly').describe();
  await replay(server, info.recentActions.at(-1)!.action.workflow.workflowId);
});

test('pause, resume, list and delete; a firing that is at work is not doubled', async () => {
  expect((await schedule('pause', 'nightly')).printed).toContain('nightly is paused');
  // The server's list follows what is done a little later.
  const listed = (line: RegExp) => until(async () => line.test((await schedule('list')).printed));
  await listed(/^nightly +paused \(Paused by longhaul schedule pause\)/m);
  expect((await schedule('resume', 'nightly')).printed).toBe('nightly goes on.\n');
  await listed(/^nightly +active +\d{4}-.*T03:00:00/m);

  small.engine.generateMs = 60_000;
  const started = await schedule('trigger', 'nightly');
  expect(started.printed).toMatch(/^nightly-\d{4}-.* has started\.$/m);
  await nextSecond();
  const again = await schedule('trigger', 'nightly');
  expect(again).toMatchObject({ code: 1, printed: expect.stringContaining('Left out: the firing before, nightly-') });
  small.engine.generateMs = 0;
  const id = /^(\S+) has started/m.exec(started.printed)![1]!;
  await server.env.client.workflow.getHandle(id).terminate('for the test');

  expect((await schedule('delete', 'nightly')).printed).toContain('nightly is deleted. What it evaluated is kept');
  expect(await schedule('pause', 'nightly')).toMatchObject({
    code: 1,
    printed: expect.stringContaining('There is no schedule "nightly" on this server'),
  });
  expect((await history()).code).toBe(0);
});

test('an evaluation that fails pauses its schedule; a wrong cron expression makes none', async () => {
  const path = join(small.folder, 'gone.json');
  const gone = { benchmarks: [{ name: 'gone', source: { type: 'jsonl', path: join(small.folder, 'gone.jsonl') } }] };
  await writeFile(path, JSON.stringify(smallEvaluation(small, gone)));
  expect(await schedule('create', 'broken', '--evaluation', path, '--cron', 'often')).toMatchObject({
    code: 1,
    printed: expect.stringContaining('The server refuses the schedule'),
  });
  await schedule('create', 'broken', '--evaluation', path, '--cron', '0 3 * * *');
  const fired = await schedule('trigger', 'broken', '--wait');
  expect(fired).toMatchObject({ code: 1, printed: expect.stringContaining('gone.jsonl') });
  const handle = server.env.client.schedule.getHandle('broken');
  await until(async () => (await handle.describe()).state.paused);
});

test('the Temporal CLI makes the same schedule', async () => {
  const spec = join(small.folder, 'eval.json');
  const temporal = async (...args: string[]) =>
    (await promisify(execFile)(server.temporal, [...args, '--address', server.env.address])).stdout;
  const policies = ['--overlap-policy', 'Skip', '--catchup-window', '2h', '--pause-on-failure'];
  const action = ['--type', 'evaluation', '--task-queue', 'longhaul', '--workflow-id', 'by-cli', '--input-file', spec];
  await temporal('schedule', 'create', '--schedule-id', 'by-cli', '--cron', '0 3 * * *', ...policies, ...action);
  await temporal('schedule', 'trigger', '--schedule-id', 'by-cli');
  await until(async () => (await small.store.list('store:evaluations/by-cli')).length > 1);
  const shown = async () => longhaul('schedule', 'history', 'by-cli', '--store', small.store.root);
  await until(async () => (await shown()).code === 0);
  expect((await shown()).printed).toMatch(/^\d{4}-.*Z +model +\d/m);
});

test('a schedule that keeps the id of its action as it is evaluates anew at each firing', async () => {
  const started = async (due: string) => {
    // As a server starts it that has the switch `keepOriginalWorkflowId`; the one of the tests does not act on it.
    const handle = await server.env.client.workflow.start('evaluation', {
      taskQueue: TASK_QUEUE,
      workflowId: 'kept',
      args: [smallEvaluation(small)],
      searchAttributes: { TemporalScheduledById: ['kept'], TemporalScheduledStartTime: [new Date(due)] },
    });
    await handle.result();
  };
  await started('2026-10-25T03:00:00Z');
  await started('2026-10-26T03:00:00Z');
  const folders = await small.store.list('store:evaluations/kept');
  expect(folders).toEqual(expect.arrayContaining(['2026-10-25T03-00-00Z', '2026-10-26T03-00-00Z']));
  const shown = await longhaul('schedule', 'history', 'kept', '--store', small.store.root);
  expect(shown.printed.split('\n').filter(line => line.startsWith('2026-10-'))).toHaveLength(2);
});
