/** The real engine on a learning rate that blows the weights up: the step that is no number is not taken, and the run waits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CurriculumResult, type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import { FolderStore } from '../../activities/store/index.js';
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
  workers = new RealWorkers(folder, ['--address', server.env.address]);
  await Promise.all([workers.start('cpu'), workers.start('gpu')]);
});
afterAll(async () => {
  await workers?.stop();
  await server?.env.teardown();
  await rm(folder, { recursive: true, force: true });
});

const SAMPLES = Array.from({ length: 16 }, (_, k) => ({
  question: `Which? ${k}`,
  context: 'x y',
  answer: 'A',
  trace: 'The answer is A.',
}));
/** Gives every group some variance. */
const REWARD = 'module.exports = ({ response }) => (response.length % 3) / 2;';

async function start(workflowId: string, rates: { warmup?: number; rl: number }) {
  const [path, module] = [join(folder, 'data.jsonl'), join(folder, 'reward.cjs')];
  await writeFile(path, SAMPLES.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  await writeFile(module, REWARD);
  const source = { type: 'jsonl', path };
  const spec = {
    model: goldenFolder('llama'),
    prompt: { template: '{document} {question} ', chat: false },
    data: [source],
    ...(rates.warmup && {
      warmup: { data: [source], epochs: 2, batchSize: 8, optimizer: { learningRate: rates.warmup } },
    }),
    reward: { custom: { module } },
    rl: {
      ...{ groupSize: 4, promptsPerStep: 4, promptsPerUpdate: 4, maxRefills: 0 },
      optimizer: { learningRate: rates.rl },
      sampling: { maxNewTokens: 6 },
      signal: { minEffectiveGroups: 1, onMissing: 'continue' },
    },
    phases: [{ maxTokens: 60, steps: 3 }],
  };
  const args = [spec];
  const handle = await server.env.client.workflow.start('curriculum', { workflowId, taskQueue: TASK_QUEUE, args });
  const progress = () => handle.query<Progress>('progress');
  return {
    /** Until it waits; gives what it says then. */
    waits: async () => {
      await until(async () => ['awaiting-replay', 'done'].includes((await progress()).state), 60_000);
      const now = await progress();
      expect(now.state).toBe('awaiting-replay');
      return JSON.stringify(now);
    },
    replay: (phase: number, overrides: object) => handle.executeUpdate('replayPhase', { args: [{ phase, overrides }] }),
    result: () => handle.result() as Promise<CurriculumResult>,
  };
}

test('a warm-up ends at the step that is no number, and its replay with other settings goes on', async () => {
  const run = await start('warmup', { warmup: 1e30, rl: 1e-4 });
  expect(await run.waits()).toMatch(/the (loss|gradient norm) is (NaN|Infinity): the step was not taken/);
  const steps = (attempt: number) => store.list(`store:runs/warmup/warmup/${attempt}/steps`);
  expect(await steps(1)).toEqual(['1']);
  expect(await store.has('store:runs/warmup/warmup/1/steps/1/update.json')).toBe(true);

  await run.replay(0, { 'warmup.optimizer.learningRate': 1e-3 });
  expect((await run.result()).policy.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await steps(1)).toEqual(['1']);
  expect(await steps(2)).toEqual(['1', '2', '3', '4']);
});

test('a phase does so too, at the rollouts of a policy whose weights have blown up', async () => {
  const run = await start('phase', { rl: 1e30 });
  expect(await run.waits()).toMatch(/the log-probability of a sampled token is NaN: /);
  const step = (k: number) => store.list(`store:runs/phase/phase-1/1/steps/${k}`);
  expect(await step(1)).toEqual(['rollouts-0.jsonl', 'scores-0.jsonl', 'update.json']);
  expect(await step(2)).toEqual([]);

  await run.replay(1, { 'rl.optimizer.learningRate': 1e-4 });
  expect((await run.result()).policy.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await step(1)).toEqual(['rollouts-0.jsonl', 'scores-0.jsonl', 'update.json']);
});
