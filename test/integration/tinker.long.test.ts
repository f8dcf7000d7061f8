/**
 * A whole run on a stand-in for a training service, with real workers in processes of their own: its worker is killed in
 * mid-step, the service loses its memory twice, and the run ends with every step once in its books.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { UpdateRecord } from '../../activities/artifacts/formats';
import { type CurriculumResult, ENGINE_QUEUES, TASK_QUEUE } from '../../activities/contract/index';
import { redoLog } from '../../activities/policies/index';
import { FolderStore } from '../../activities/store/index';
import { LONGHAUL_COMMAND } from '../../infra/checkout';
import { RealWorkers } from '../support/real-workers';
import { servedFiles, startServed } from '../support/served-run';
import { startServer, type TestServer, until } from '../support/temporal-server';
import type { TinkerServer } from '../support/tinker-server';

jest.setTimeout(600_000);

const KEY = 'tml-seen-by-nobody-else';
const execute = promisify(execFile);

let first: TinkerServer;
let service: TinkerServer;
let server: TestServer;
let folder: string;
let store: FolderStore;
let workers: RealWorkers;
let worker: ChildProcess;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  first = await startServed();
  service = await first.another({ key: KEY });
  folder = await mkdtemp(join(tmpdir(), 'longhaul-tinker-'));
  store = new FolderStore(join(folder, 'store'));
  server = await startServer();
  environment = {
    ...process.env,
    LONGHAUL_ENGINE: 'tinker',
    LONGHAUL_ENGINE_URL: service.url,
    LONGHAUL_ENGINE_KEY_VARIABLE: 'TINKER_API_KEY',
    TINKER_API_KEY: KEY,
  };
  workers = new RealWorkers(folder, ['--address', server.env.address], environment);
  await workers.start('cpu');
  worker = await workers.start('gpu');
});
afterAll(async () => {
  await workers?.stop();
  await server?.env.teardown();
  await service?.stop();
  await first?.release();
  await rm(folder, { recursive: true, force: true });
});

const longhaul = async (...args: string[]): Promise<string> =>
  (await execute(process.execPath, [LONGHAUL_COMMAND, ...args, '--state', folder], { env: environment })).stdout;

const begun = (stage: string, step: number) =>
  until(() => store.has(`store:runs/run/${stage}/1/steps/${step}/update.json`), 300_000);

test('ends as if nothing had been, is redone within its tolerance, and is exported', async () => {
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
  expect(JSON.stringify(histories) + workers.output).not.toContain(KEY);

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
