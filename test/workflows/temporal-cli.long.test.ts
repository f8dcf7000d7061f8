/** Everything a user needs, by the Temporal CLI alone: the commands that docs/temporal-cli.md shows. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CurriculumResult, Progress } from '../../activities/contract/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

const execute = promisify(execFile);

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await small.remove();
});

async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await execute(server.temporal, [...args, '--address', server.env.address]);
  return stdout;
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await temporal(...args, '--output', 'json')) as T;
}

const update = (run: string, name: string, ...input: string[]) =>
  temporal('workflow', 'update', 'execute', '--workflow-id', run, '--name', name, ...input);

async function progress(run: string): Promise<Progress> {
  const answer = await json<{ queryResult: Progress[] }>(
    ...['workflow', 'query', '--workflow-id', run, '--name', 'progress'],
  );
  const [progress] = answer.queryResult;
  // The CLI prints an empty list as null.
  return { ...progress!, stages: progress!.stages ?? [] };
}

const start = ['workflow', 'start', '--task-queue', 'longhaul', '--type', 'curriculum'];

test('start from a file, pause, resume, result', async () => {
  const file = join(small.folder, 'spec.json');
  await writeFile(file, JSON.stringify(small.spec));
  small.engine.generateMs = 100;
  await temporal(...start, '--workflow-id', 'by-hand', '--input-file', file);
  await until(async () => (await progress('by-hand')).stages.some(stage => stage.name === 'phase-1' && stage.latest));
  await update('by-hand', 'pause');
  expect((await progress('by-hand')).state).toBe('paused');
  await update('by-hand', 'resume');
  small.engine.generateMs = 0;
  const { result } = await json<{ result: CurriculumResult }>('workflow', 'result', '--workflow-id', 'by-hand');
  expect(result.policy).toEqual({
    name: expect.any(String),
    uri: expect.stringMatching(/^store:runs\/by-hand\/checkpoints\//),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('start a preset with overrides, cancel, start again', async () => {
  const input = JSON.stringify({ preset: 'small', overrides: { seed: 3, 'evaluation.policies': ['final'] } });
  small.engine.generateMs = 20_000;
  await temporal(...start, '--workflow-id', 'preset', '--input', input);
  await until(async () =>
    (await progress('preset')).stages.some(stage => stage.name === 'phase-1' && stage.workflowId),
  );
  await temporal('workflow', 'cancel', '--workflow-id', 'preset');
  const status = async () => {
    const { workflowExecutionInfo } = await json<{ workflowExecutionInfo: { status: string } }>(
      ...['workflow', 'describe', '--workflow-id', 'preset'],
    );
    return workflowExecutionInfo.status;
  };
  await until(async () => (await status()) === 'WORKFLOW_EXECUTION_STATUS_CANCELED');
  small.engine.generateMs = 0;
  await temporal(...start, '--workflow-id', 'preset', '--input', input);
  const { result } = await json<{ result: CurriculumResult }>('workflow', 'result', '--workflow-id', 'preset');
  expect(result.evaluations.map(row => row.policy)).toEqual(['final']);
});

test('replay a phase that failed', async () => {
  small.engine.notFinite = true;
  await temporal(...start, '--workflow-id', 'failing', '--input', JSON.stringify(small.spec));
  await until(async () => (await progress('failing')).state === 'awaiting-replay');
  await expect(update('failing', 'replayPhase', '--input', '{"phase": 7}')).rejects.toThrow('Expected');
  small.engine.notFinite = false;
  const input = '{"phase": 1, "overrides": {"rl.optimizer.learningRate": 1e-6}}';
  expect(await update('failing', 'replayPhase', '--input', input)).toContain('attempt:2');
  const { result } = await json<{ result: CurriculumResult }>('workflow', 'result', '--workflow-id', 'failing');
  expect(result.stages.map(stage => stage.name)).toEqual(['warmup', 'phase-1', 'phase-2']);
});

test('branch off a finished run, and reset one: what is published is not made again', async () => {
  const input = JSON.stringify({ from: 'by-hand/phase-2' });
  await temporal(...start, '--workflow-id', 'branch', '--input', input);
  const resultOf = async (run: string) =>
    (await json<{ result: CurriculumResult }>('workflow', 'result', '--workflow-id', run)).result.policy.sha256;
  const sha256 = await resultOf('by-hand');
  expect(await resultOf('branch')).toBe(sha256);

  const before = small.engine.calls.length;
  const reset = ['workflow', 'reset', '--workflow-id', 'by-hand', '--type', 'FirstWorkflowTask', '--reason', 'test'];
  await temporal(...reset);
  expect(await resultOf('by-hand')).toBe(sha256);
  expect(small.engine.calls.slice(before).filter(call => ['sft', 'update', 'generate'].includes(call))).toEqual([]);
});
