/**
 * Histories of runs as earlier versions wrote them, replayed through today's workflows: a run under way must survive an
 * upgrade. A change that breaks one needs a patch (https://docs.temporal.io/develop/typescript/versioning), not a new
 * recording. New shapes are added with RECORD_HISTORIES=<version> npx jest test/workflows/recorded.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import { CHECKOUT } from '../../infra/checkout.js';
import { curriculum } from '../../workflows/index.js';
import { FakeChat } from '../support/fake-chat.js';
import { smallEvaluation } from '../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { bundleSources, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

const HISTORIES = resolve(__dirname, '../fixtures/histories');
const version = process.env.RECORD_HISTORIES;

if (version) test('record', record);
else test('every recorded history replays', replayAll);

async function record(): Promise<void> {
  const server = await startServer(['limit.historyCount.suggestContinueAsNew=40']);
  const small = await smallRun();
  const stop = await startWorkers(server, small);
  const { workflow } = server.env.client;
  small.engine.notFinite = true;
  const handle = await workflow.start(curriculum, { workflowId: 'run', taskQueue: TASK_QUEUE, args: [small.spec] });
  await until(async () => (await handle.query<Progress>('progress')).state === 'awaiting-replay');
  small.engine.notFinite = false;
  await handle.executeUpdate('pause');
  await handle.executeUpdate('resume');
  await handle.executeUpdate('replayPhase', { args: [{ phase: 1 }] });
  await handle.result();

  const folder = join(HISTORIES, version!);
  await mkdir(folder, { recursive: true });
  for (const id of ['run', 'run/evaluation/base', 'run/warmup/1', 'run/phase-1/1', 'run/phase-1/2', 'run/phase-2/1']) {
    const history = await workflow.getHandle(id).fetchHistory();
    await writeFile(join(folder, `${id.replaceAll('/', '.')}.json`), withoutPlace(historyToJSON(history)));
  }
  for (const [file, id] of Object.entries({
    ...(await recordJudged(server, small)),
    ...(await recordEvaluations(server, small)),
  })) {
    const history = await workflow.getHandle(id).fetchHistory();
    await writeFile(join(folder, file), withoutPlace(historyToJSON(history)));
  }
  await stop();
  await server.env.teardown();
  await small.remove();
}

/** A run whose rewards a judge is asked for. */
async function recordJudged({ env }: TestServer, small: SmallRun): Promise<Record<string, string>> {
  const chat = await new FakeChat().start();
  chat.reply = () => '[[NO]]';
  const judge = { url: chat.url, model: 'm', retrySeconds: 0, concurrency: 1 };
  const spec = { ...small.spec, reward: { judge }, warmup: null, phases: [{ maxTokens: 60, steps: 2 }] };
  const start = { workflowId: 'judged', taskQueue: TASK_QUEUE, args: [spec] as [typeof spec] };
  await (await env.client.workflow.start(curriculum, start)).result();
  await chat.stop();
  return { 'judged.json': 'judged', 'judged.phase-1.1.json': 'judged/phase-1/1' };
}

/** Evaluations as users and schedules start them: ids by the file that each history goes to. */
async function recordEvaluations({ env }: TestServer, small: SmallRun): Promise<Record<string, string>> {
  const chat = await new FakeChat().start();
  const remote = { url: chat.url, model: 'far' };
  const specs = { 'trial/model': smallEvaluation(small), 'trial/far': smallEvaluation(small, { model: { remote } }) };
  for (const [workflowId, spec] of Object.entries(specs)) {
    await (await env.client.workflow.start('evaluation', { workflowId, taskQueue: TASK_QUEUE, args: [spec] })).result();
  }
  await chat.stop();
  const action = {
    workflowType: 'evaluation',
    workflowId: 'nightly',
    taskQueue: TASK_QUEUE,
    args: [specs['trial/model']],
  };
  const schedule = await env.client.schedule.create({
    scheduleId: 'nightly',
    spec: { cronExpressions: ['0 3 * * *'] },
    action: { type: 'startWorkflow', ...action },
  });
  await schedule.trigger();
  const fired = async () => (await schedule.describe()).info.recentActions[0]?.action.workflow.workflowId;
  await until(async () => (await fired()) !== undefined);
  const firing = (await fired())!;
  await env.client.workflow.getHandle(firing).result();
  return { 'trial.model.json': 'trial/model', 'trial.far.json': 'trial/far', 'nightly.firing.json': firing };
}

/** Leaves out where it was recorded: folders in stack traces, process and host of the client. */
function withoutPlace(history: string): string {
  return history.replaceAll(`${CHECKOUT}/`, '').replace(/"identity": "\d+@[^"]*"/g, '"identity": "test"');
}

async function replayAll(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const bundle = await bundleSources();
  const histories: { workflowId: string; history: unknown }[] = [];
  for (const release of await readdir(HISTORIES)) {
    for (const file of await readdir(join(HISTORIES, release))) {
      const workflowId = file.replace(/\.json$/, '').replaceAll('.', '/');
      histories.push({ workflowId, history: JSON.parse(await readFile(join(HISTORIES, release, file), 'utf8')) });
    }
  }
  expect(histories.length).toBeGreaterThanOrEqual(9);
  const failures: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories)) {
    if (error) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(failures).toEqual([]);
}
