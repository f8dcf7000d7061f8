/**
 * The real engine, real workers in processes of their own, two real kills in mid-step and one orderly stop: the weights
 * at the end are those of the undisturbed run, to the bit.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { UpdateRecord } from '../../activities/artifacts/formats.js';
import { type CurriculumResult, TASK_QUEUE } from '../../activities/contract/index.js';
import { FolderStore, readJson } from '../../activities/store/index.js';
import { LONGHAUL_COMMAND } from '../../infra/checkout.js';
import { notesIn } from '../../workers/in-hand.js';
import { startServer, type TestServer, until } from '../support/temporal-server.js';

jest.setTimeout(180_000);

const MODEL = resolve(__dirname, '../fixtures/golden/llama');

let server: TestServer;
let folder: string;
let store: FolderStore;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-kills-'));
  store = new FolderStore(join(folder, 'store'));
  await store.create();
  server = await startServer();
  await startWorker('cpu');
  await startWorker('gpu');
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await server?.env.teardown();
  await rm(folder, { recursive: true, force: true });
});

async function startWorker(kind: 'cpu' | 'gpu'): Promise<ChildProcess> {
  const args = [
    LONGHAUL_COMMAND,
    'worker',
    kind,
    '--address',
    server.env.address,
    '--store',
    store.root,
    '--state',
    folder,
  ];
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  workers.push(worker);
  await once(worker.stdout!, 'data');
  return worker;
}

/** A random model learns a format in a few steps, then which of two letters to say. */
async function smallSpec(changes: object) {
  const samples = Array.from({ length: 32 }, (_, k) => ({
    id: `s${k}`,
    question: `Which? ${k}`,
    documents: ['x y '.repeat(3 + k)],
    answers: [k % 2 ? 'B' : 'A'],
    trace: `The answer is ${k % 2 ? 'B' : 'A'}.`,
  }));
  const path = join(folder, 'data.jsonl');
  await writeFile(path, samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  const source = { type: 'jsonl', path };
  return {
    model: MODEL,
    prompt: { template: '{document} {question} ', chat: false },
    data: [source],
    warmup: { data: [source], epochs: 4, batchSize: 8, optimizer: { learningRate: 1e-2 } },
    rl: {
      ...{ groupSize: 4, promptsPerStep: 4, promptsPerUpdate: 2, maxRefills: 1 },
      optimizer: { learningRate: 1e-3 },
      sampling: { maxNewTokens: 12, temperature: 1, topP: 1 },
      signal: { minEffectiveGroups: 1, onMissing: 'continue' },
    },
    phases: [
      { maxTokens: 60, steps: 4 },
      { maxTokens: 200, steps: 4 },
    ],
    checkpoints: { everySteps: 2, keep: 1 },
    ...changes,
  };
}

async function start(workflowId: string, changes: object = {}) {
  const args = [await smallSpec(changes)];
  return server.env.client.workflow.start('curriculum', { workflowId, taskQueue: TASK_QUEUE, args });
}

const begun = (run: string, stage: string, step: number) =>
  until(() => store.has(`store:runs/${run}/${stage}/1/steps/${step}`), 60_000);

/** Waits until the worker has something in hand that it can lose. */
const atWork = ({ pid }: ChildProcess) =>
  until(async () => {
    const notes = await notesIn(join(folder, 'in-hand'));
    return notes.some(({ owner, activity }) => owner.pid === pid && activity === 'warmupSteps');
  });

/** Whether an activity of the workflow is to be tried again after such a failure. */
async function failedAs(type: string, workflowId: string): Promise<boolean> {
  const { raw } = await server.env.client.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities!.some(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === type);
}

/** The engine is the GPU worker's only child. */
async function engineOf(worker: ChildProcess): Promise<number> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(worker.pid)]);
  return Number(stdout.trim());
}

test('a worker and an engine killed in mid-step, and a worker stopped, change nothing of the result', async () => {
  const undisturbed: CurriculumResult = await (await start('undisturbed')).result();
  const update = await store.find('store:runs/undisturbed/phase-1/1/steps/1/update.json');
  expect((await readJson<UpdateRecord>(store, update!)).metrics.length).toBeGreaterThan(0);

  const disturbed = await start('disturbed');
  await begun('disturbed', 'warmup', 8);
  await atWork(workers.at(-1)!);
  workers.at(-1)!.kill('SIGKILL');
  // Not by the heartbeat time-out: its successor on the machine hands back what it lost.
  const handedBack = until(() => failedAs('WorkerLost', 'disturbed/warmup/1'), 60_000);
  const worker = await startWorker('gpu');
  await handedBack;
  await begun('disturbed', 'phase-1', 2);
  process.kill(await engineOf(worker), 'SIGKILL');
  await begun('disturbed', 'phase-2', 2);
  worker.kill('SIGTERM');
  const [code] = await once(worker, 'exit');
  expect(code).toBe(0);
  await startWorker('gpu');
  const result: CurriculumResult = await disturbed.result();

  expect(result.policy.sha256).toBe(undisturbed.policy.sha256);
  expect(result.stages.map(({ policy }) => [policy.name, policy.sha256])).toEqual(
    undisturbed.stages.map(({ policy }) => [policy.name, policy.sha256]),
  );
});

test('a run that trains an adapter survives its engine too, and is exported merged or as it is', async () => {
  const changes = { lora: { rank: 4, alpha: 8 }, phases: [{ maxTokens: 60, steps: 3 }] };
  const undisturbed: CurriculumResult = await (await start('adapter', changes)).result();
  const disturbed = await start('adapter-disturbed', changes);
  await begun('adapter-disturbed', 'phase-1', 2);
  process.kill(await engineOf(workers.at(-1)!), 'SIGKILL');
  const result: CurriculumResult = await disturbed.result();
  expect(result.policy.sha256).toBe(undisturbed.policy.sha256);

  const exported = async (name: string, ...flags: string[]) => {
    const target = join(folder, name);
    const args = [LONGHAUL_COMMAND, 'export', 'adapter', target, '--store', store.root, ...flags];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return { stdout, files: (await readdir(target)).sort() };
  };
  const adapter = await exported('out-adapter', '--adapter');
  expect(adapter.files).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  expect(adapter.stdout).toContain(`sha256 ${result.policy.sha256} (adapter_model.safetensors)`);
  const merged = await exported('out-merged');
  expect(merged.files).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
  expect(merged.stdout).toContain('(model.safetensors)');
});
