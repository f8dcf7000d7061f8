/** Evaluations that stand alone, on a real server: of a folder, of a run's policy, of a remote endpoint. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type EvaluationProgress, type EvaluationSummary, TASK_QUEUE } from '../../activities/contract/index.js';
import type { EvaluationRecord } from '../../activities/evaluation/record.js';
import { readJson } from '../../activities/store/index.js';
import { driveRun } from '../support/drive.js';
import { FAULTS, FakeChat } from '../support/fake-chat.js';
import { smallEvaluation } from '../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;
let chat: FakeChat;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  chat = await new FakeChat().start();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await chat?.stop();
  await server?.env.teardown();
  await small.remove();
});

const start = (workflowId: string, spec: Record<string, unknown>) =>
  server.env.client.workflow.start('evaluation', { workflowId, taskQueue: TASK_QUEUE, args: [spec] });
const evaluate = async (workflowId: string, spec: Record<string, unknown>): Promise<EvaluationSummary> =>
  (await start(workflowId, spec)).result();

async function recordAt(uri: string): Promise<EvaluationRecord> {
  return readJson(small.store, (await small.store.find(uri))!);
}

test('a model in a folder comes to a row for each benchmark, and a record in the store', async () => {
  const { name, label, rows, uri, regression, before } = await evaluate('folder', smallEvaluation(small));
  expect({ name, label, uri, regression, before }).toEqual({
    name: 'folder',
    label: 'model',
    uri: 'store:evaluations/folder/model/result.json',
    regression: false,
    before: null,
  });
  expect(rows).toMatchObject([{ set: 'questions', policy: 'model', items: 30, metric: 'custom', unanswered: 0 }]);
  const { model, sets, code } = await recordAt(uri);
  expect(model).toMatchObject({ kind: 'folder', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(code.longhaul).toMatch(/^\d+\.\d+\.\d+/);
  expect(sets[0]!.scores).toHaveLength(30);
  await replay(server, 'folder');
});

test('of a run, the newest policy is that of now: under way its last step’s, at the end the final one', async () => {
  const { final, base } = await driveRun(small, 'newest');
  const record = async (name: string, policy?: string) => {
    const model = { run: 'newest', ...(policy !== undefined && { policy }) };
    const { uri } = await evaluate(name, smallEvaluation(small, { model }));
    const { model: evaluated } = await recordAt(uri);
    return evaluated.kind === 'policy' ? evaluated.policy : null;
  };
  // The run has no result yet: the policy is known by its log.
  expect(await record('now')).toMatchObject({ name: final.name, sha256: final.sha256 });
  expect(await record('first', 'base')).toEqual(base);
  expect(await record('named', final.name)).toEqual(final);
  const failed: unknown = await evaluate(
    'too-soon',
    smallEvaluation(small, { model: { run: 'newest', policy: 'final' } }),
  ).catch((error: unknown) => error);
  const cause = failed instanceof WorkflowFailedError ? failed.cause?.cause : failed;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect((cause as Error).message).toContain('the run "newest" has not ended yet');
});

test('a remote model needs no engine, says how far it is, and survives the loss of its worker', async () => {
  chat.reply = ({ body }) => `Therefore, the answer is ${body.messages[0]!.content.length % 2 === 0 ? 'A' : 'B'}.`;
  chat.delayMs = 30;
  chat.next = [FAULTS.busy, FAULTS.reset];
  const remote = { url: chat.url, model: 'far', concurrency: 1 };
  const handle = await start('remote/far', smallEvaluation(small, { model: { remote } }));
  const done = async () => (await handle.query<EvaluationProgress>('progress')).sets[0]?.done ?? 0;
  await until(async () => (await done()) > 5);
  await stopWorkers();
  const paid = chat.requests.length;
  expect(paid).toBeLessThan(30);
  chat.delayMs = 0;
  stopWorkers = await startWorkers(server, small);
  const { rows } = (await handle.result()) as EvaluationSummary;
  expect(rows).toMatchObject([{ set: 'questions', policy: 'far', items: 30, score: 50, unanswered: 0 }]);
  // Two failed, and one that was under way may have been lost with its worker: all others were paid for once.
  expect(chat.requests.length).toBeLessThanOrEqual(30 + 2 + 1);
  const progress = await handle.query<EvaluationProgress>('progress');
  expect(progress).toMatchObject({ state: 'done', sets: [{ name: 'questions', state: 'done', done: 30, total: 30 }] });
  await replay(server, 'remote/far');
});

test('the Temporal CLI starts one from a file', async () => {
  const file = join(small.folder, 'eval.json');
  await writeFile(file, JSON.stringify(smallEvaluation(small, { label: 'mine' })));
  const temporal = async (...args: string[]) =>
    (await promisify(execFile)(server.temporal, [...args, '--address', server.env.address])).stdout;
  const start = ['workflow', 'start', '--type', 'evaluation', '--task-queue', 'longhaul'];
  await temporal(...start, '--workflow-id', 'by-hand', '--input-file', file);
  const answer = await temporal('workflow', 'result', '--workflow-id', 'by-hand', '--output', 'json');
  const { result } = JSON.parse(answer) as { result: EvaluationSummary };
  expect(result).toMatchObject({ name: 'by-hand', label: 'mine', uri: 'store:evaluations/by-hand/mine/result.json' });
});

test('a wrong spec is refused at once, with every wrong path', async () => {
  const handle = await start('wrong', { model: {}, benchmarks: [], colour: 'blue' });
  const error: unknown = await handle.result().catch((error: unknown) => error);
  const cause = error instanceof WorkflowFailedError ? error.cause?.cause : error;
  expect(cause).toMatchObject({ type: 'InvalidSpec', nonRetryable: true });
  for (const path of ['model:', 'benchmarks:', 'colour:']) expect((cause as Error).message).toContain(path);
  expect(await small.store.list('store:evaluations/wrong')).toEqual([]);
});
