/**
 * A run whose rollouts are sampled beside the updates, with real workers in processes of their own: the worker is killed while
 * both go on, and the service loses its memory.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { UpdateRecord } from '../../activities/artifacts/formats';
import { type CurriculumResult, TASK_QUEUE } from '../../activities/contract/index';
import { redoLog } from '../../activities/policies/index';
import { readLedger } from '../../infra/chaos/ledger';
import { APART, OVERLAPPED } from '../support/overlapped-run';
import { type ServedCluster, startServedCluster } from '../support/served-cluster';
import { servedFiles } from '../support/served-run';
import { replay } from '../support/temporal-server';

jest.setTimeout(900_000);

let cluster: ServedCluster;
let worker: ChildProcess;
beforeAll(async () => {
  cluster = await startServedCluster('tml-seen-by-nobody-else', APART);
  await cluster.workers.start('cpu');
  worker = await cluster.workers.start('gpu');
});
afterAll(() => cluster?.stop());

test('goes on after a kill and a loss of memory, every step once and by the policy that was to', async () => {
  const { service, server, folder, store, workers, longhaul } = cluster;
  const { workflow } = server.env.client;
  const phases = [{ maxTokens: 200, steps: 4 }];
  const own = { ...OVERLAPPED, phases, warmup: null, evaluation: {} };
  const spec = { ...(await servedFiles(folder)), ...own };
  let steps = 0;
  let restarted: Promise<ChildProcess> | null = null;
  service.fault = ({ path, body }) => {
    // Steps of the run alone are of this rate.
    const adam = body?.adam_params as { learning_rate: number; beta2: number } | undefined;
    if (path !== 'optim_step' || adam!.learning_rate !== OVERLAPPED.rl.optimizer.learningRate) return null;
    steps++;
    if (steps === 3) {
      worker.kill('SIGKILL');
      restarted = workers.start('gpu').then(started => {
        worker = started;
        return started;
      });
    }
    return steps === 7 ? 'ends after' : null;
  };
  const handle = await workflow.start('curriculum', { workflowId: 'run', taskQueue: TASK_QUEUE, args: [spec] });
  const result: CurriculumResult = await handle.result();
  await restarted;
  expect(steps).toBeGreaterThan(7);
  expect(result.stages.map(({ steps }) => steps)).toEqual([4]);

  const records: UpdateRecord[] = [];
  for await (const { record } of redoLog(store, 'run')) records.push(record);
  const before = records.map((_, k) =>
    k === 0 || records[k - 1]!.skipped ? undefined : records[k - 1]!.inputs.parent.name,
  );
  expect(records.map(({ inputs }) => inputs.sampler?.name)).toEqual(before);
  expect(before.filter(name => name !== undefined).length).toBeGreaterThan(1);
  expect((await readLedger(join(folder, 'store'), 'run')).errors).toEqual([]);

  await replay(server, 'run/phase-1/1');
  const made = records.filter(({ skipped }) => !skipped).length;
  expect(await longhaul('verify', 'run', '--all')).toContain(`${made} of ${made} redone steps within the tolerance.`);
});
