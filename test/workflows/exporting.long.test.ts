/** Trackers beside a run: none of them holds it up, and what they miss is caught up, also after its end. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../../activities/contract/index.js';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { activityNotes } from '../../infra/view/activity-notes.js';
import { restOfMetrics } from '../../infra/view/exporter.js';
import { curriculum } from '../../workflows/index.js';
import { FakeMlflow } from '../support/fake-trackers.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;
const mlflow = new FakeMlflow();
let url: string;

beforeAll(async () => {
  url = await mlflow.start();
  server = await startServer();
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await mlflow.stop();
  await small.remove();
});

const begin = (workflowId: string, spec: object) =>
  server.env.client.workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [{ ...spec }] });
const exporterOf = (run: string) => server.env.client.workflow.getHandle(`${run}/export`);
const pointsIn = async (file: string) =>
  (await readFile(join(small.folder, file), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line).at);

test('a tracker that is away holds no run up; the view says so, and it has everything once it is back', async () => {
  const { client } = server.env;
  mlflow.fate = () => 'away';
  const jsonl = join(small.folder, '{run}.jsonl');
  const handle = await begin('watched', { ...small.spec, export: { jsonl, mlflow: { url } } });
  await handle.result();
  expect((await handle.query<Progress>('progress')).exporter).toBe('watched/export');
  expect((await exporterOf('watched').describe()).status.name).toBe('RUNNING');
  await until(async () => (await activityNotes(client, ['watched/export'])).retries.length > 0);
  const { doing, retries } = await activityNotes(client, ['watched/export']);
  expect(doing).toEqual([]);
  expect(retries).toEqual([
    expect.stringMatching(/^MLflow at .* does not answer .*; the run goes on, what is missing/),
  ]);
  expect((await restOfMetrics(client, 'watched', 0)).at(-1)).toBe(
    'To write what is missing: npx longhaul export-metrics watched',
  );

  mlflow.fate = () => 'fine';
  expect(await exporterOf('watched').result()).toEqual({ jsonl: 12, mlflow: 12 });
  expect(await restOfMetrics(client, 'watched', 0)).toEqual([]);
  expect(await pointsIn('watched.jsonl')).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
  expect(mlflow.live('watched')[0]!.info.status).toBe('FINISHED');
  await replay(server, 'watched');
  await replay(server, 'watched/export');
});

test('a run that is ended by a person leaves with its trackers what it has', async () => {
  const jsonl = join(small.folder, 'ended.jsonl');
  // More than it can come to before it is ended.
  const phases = small.spec.phases.map(phase => ({ ...phase, steps: 1000 }));
  const handle = await begin('ended', { ...small.spec, phases, export: { jsonl } });
  await until(async () => (await pointsIn('ended.jsonl').catch(() => [])).length > 2);
  await handle.terminate();
  const { jsonl: written } = (await exporterOf('ended').result()) as { jsonl: number };
  expect((await pointsIn('ended.jsonl')).length).toBe(written);
  expect(await restOfMetrics(server.env.client, 'ended', 0)).toEqual([]);
});

test('a run whose spec names no tracker has none', async () => {
  const handle = await begin('plain', small.spec);
  await handle.result();
  expect((await handle.query<Progress>('progress')).exporter).toBeUndefined();
  expect(await restOfMetrics(server.env.client, 'plain', 0)).toEqual([]);
});
