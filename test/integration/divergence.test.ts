/** The real engine on a learning rate that blows the weights up: the step that is no number is not taken, and the run waits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../activities/store/index.js';
import { type CurriculumResult, type Progress, TASK_QUEUE } from '../../workflows/contract.js';
import { goldenFolder } from '../support/golden.js';
import { RealWorkers } from '../support/real-workers.js';
import { startServer, type TestServer, until } from '../support/temporal-server.js';

jest.setTimeout(120_000);

let server: TestServer;
let workers: RealWorkers;
let folder: string;
let store: FolderStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-divergence-'));
  store = new FolderStore(join(folder, 'store'));
  server = await startServer();
  workers = new RealWorkers(['--address', server.env.address, '--store', store.root]);
  await Promise.all([workers.start('cpu'), workers.start('gpu')]);
});
afterAll(async () => {
  await workers?.stop();
  await server?.env.teardown();
  await rm(folder, { recursive: true, force: true });
});

test('a loss that is no number ends the attempt with its artifacts kept, and a replay with other settings goes on', async () => {
  const samples = Array.from({ length: 16 }, (_, k) => ({
    question: `Which? ${k}`,
    context: 'x y',
    answer: 'A',
    trace: 'The answer is A.',
  }));
  const path = join(folder, 'data.jsonl');
  await writeFile(path, samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  const source = { type: 'jsonl', path };
  const spec = {
    model: goldenFolder('llama'),
    prompt: { template: '{document} {question} ', chat: false },
    data: [source],
    warmup: { data: [source], epochs: 2, batchSize: 8, optimizer: { learningRate: 1e30 } },
    rl: {
      ...{ groupSize: 2, promptsPerStep: 2, promptsPerUpdate: 2, maxRefills: 0 },
      optimizer: { learningRate: 1e-4 },
      sampling: { maxNewTokens: 4 },
      signal: { minEffectiveGroups: 1, onMissing: 'continue' },
    },
    phases: [{ maxTokens: 60, steps: 1 }],
  };
  const handle = await server.env.client.workflow.start('curriculum', {
    workflowId: 'r',
    taskQueue: TASK_QUEUE,
    args: [spec],
  });
  const progress = () => handle.query<Progress>('progress');
  await until(async () => (await progress()).state === 'awaiting-replay', 60_000);
  expect(JSON.stringify(await progress())).toMatch(
    /the (loss|gradient norm) is (NaN|Infinity): the step was not taken/,
  );

  const steps = (attempt: number) => store.list(`store:runs/r/warmup/${attempt}/steps`);
  const before = await steps(1);
  expect(before).toEqual(['1']);
  expect(await store.has('store:runs/r/warmup/1/steps/1/update.json')).toBe(true);

  await handle.executeUpdate('replayPhase', {
    args: [{ phase: 0, overrides: { 'warmup.optimizer.learningRate': 1e-3 } }],
  });
  const result = (await handle.result()) as CurriculumResult;
  expect(result.policy.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await steps(1)).toEqual(before);
  expect(await steps(2)).toEqual(['1', '2', '3', '4']);
});
