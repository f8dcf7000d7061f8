/**
 * A whole run on a stand-in for a training service, with real workers in processes of their own: its worker is killed in
 * mid-step, the service loses its memory twice, and the run ends with every step once in its books.
 */
import type { ChildProcess } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpdateRecord } from '../../activities/artifacts/formats';
import { type CurriculumResult, ENGINE_QUEUES, TASK_QUEUE } from '../../activities/contract/index';
import { redoLog } from '../../activities/policies/index';
import { type ServedCluster, startServedCluster } from '../support/served-cluster';
import { servedFiles } from '../support/served-run';
import { until } from '../support/temporal-server';

jest.setTimeout(600_000);

let cluster: ServedCluster;
let worker: ChildProcess;
beforeAll(async () => {
  cluster = await startServedCluster();
  await cluster.workers.start('cpu');
  worker = await cluster.workers.start('gpu');
});
afterAll(() => cluster?.stop());

const begun = (stage: string, step: number) =>
  until(() => cluster.store.has(`store:runs/run/${stage}/1/steps/${step}/update.json`), 300_000);

test('ends as if nothing had been, is redone within its tolerance, and is exported', async () => {
  const { service, server, folder, store, workers, key, longhaul } = cluster;
  const { workflow } = server.env.client;
  const spec = await servedFiles(folder);
  const handle = await workflow.start('curriculum', { workflowId: 'run', taskQueue: TASK_QUEUE, args: [spec] });

  await begun('warmup', 2);
  worker.kill('SIGKILL');
  service.state.restart();
  await workers.start('gpu');
  await begun('phase-1', 1);
  service.state.restart();
  const result: CurriculumResult = await handle.result();

  const steps: [string, number[]][] = [];
  for await (const { stage, step, record } of redoLog(store, 'run'))
    steps.push([`${stage.stage}/${step}`, optimizerSteps(record)]);
  expect(steps).toEqual([
    ['warmup/1', [1]],
    ['warmup/2', [2]],
    ['warmup/3', [3]],
    ['phase-1/1', [1, 2]],
    ['phase-1/2', [3, 4]],
    ['phase-2/1', [1, 2]],
    ['phase-2/2', [3, 4]],
  ]);
  expect(result.evaluations.map(({ policy, set, items }) => [policy, set, items])).toEqual([
    ['base', 'held-out', 3],
    ['final', 'held-out', 3],
  ]);
  expect(workers.output).toContain(`gpu worker ready, ${service.url} serves base`);

  const histories = await Promise.all(
    ['run', 'run/warmup/1', 'run/phase-1/1'].map(id => workflow.getHandle(id).fetchHistory()),
  );
  const queues = histories.flatMap(({ events }) =>
    (events ?? []).flatMap(event => event.activityTaskScheduledEventAttributes?.taskQueue?.name ?? []),
  );
  expect(new Set(queues)).toEqual(new Set([TASK_QUEUE, ENGINE_QUEUES.tinker]));
  expect(JSON.stringify(histories) + workers.output).not.toContain(key);

  expect(await longhaul('verify', 'run', '--all')).toContain('7 of 7 redone steps within the tolerance.');
  const [adapter, merged] = [join(folder, 'adapter'), join(folder, 'merged')];
  await longhaul('export', 'run', adapter, '--adapter');
  await longhaul('export', 'run', merged);
  expect((await readdir(adapter)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  expect(JSON.parse(await readFile(join(adapter, 'adapter_config.json'), 'utf8'))).toMatchObject({
    r: 4,
    lora_alpha: 32,
  });
  expect(await readdir(merged)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
});

const optimizerSteps = ({ metrics }: UpdateRecord): number[] => metrics.map(({ optimizerStep }) => optimizerStep);
