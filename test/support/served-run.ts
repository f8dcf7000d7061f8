/** A small run that a stand-in for a training service trains: its spec, data, and an engine that speaks to it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { openSource } from '../../activities/datasets/sources';
import type { EngineDependencies } from '../../activities/dependencies';
import { createTinkerEngine } from '../../activities/engine/tinker/index';
import { createRewarder } from '../../activities/rewards/reward';
import { FolderStore } from '../../activities/store/index';
import { createModels } from '../../activities/text/models';
import { ExaminedService } from '../../workers/examined-service';
import { goldenFolder } from './golden';
import { TinkerServer } from './tinker-server';

const QUIET = new DefaultLogger('ERROR');
const MODEL = goldenFolder('llama');

/** Small steps, none of which ends for want of signal. */
export const SERVED_RL = {
  ...{ algorithm: 'grpo', groupSize: 4, promptsPerStep: 4, promptsPerUpdate: 2, maxRefills: 0 },
  optimizer: { learningRate: 1e-3 },
  sampling: { maxNewTokens: 8, topP: 1 },
  signal: { minEffectiveGroups: 1, onMissing: 'continue' },
};

/** A model without sense, three steps of warm-up, and two phases whose rewards go by the length of a response. */
export function servedSpec(data: string, reward: string) {
  const source = { type: 'jsonl', path: data };
  return {
    seed: 7,
    model: MODEL,
    engine: { kind: 'tinker', model: 'base', lora: { rank: 4 } },
    prompt: { template: '{document} {question} ', chat: false },
    data: [source],
    warmup: { data: [source], batchSize: 8, optimizer: { learningRate: 1e-2 } },
    reward: { custom: { module: reward } },
    rl: SERVED_RL,
    phases: [
      { maxTokens: 40, steps: 2 },
      { maxTokens: 200, steps: 2 },
    ],
    evaluation: {
      sets: [{ name: 'held-out', source, limit: 3, allowOverlap: ['questions', 'documents'] }],
      policies: ['base', 'final'],
    },
    checkpoints: { everySteps: 2, keep: 1 },
  };
}

export async function servedFiles(folder: string) {
  const [data, reward] = [join(folder, 'data.jsonl'), join(folder, 'reward.cjs')];
  const samples = Array.from({ length: 24 }, (_, k) => ({
    id: `s${k}`,
    question: `Which? ${k}`,
    documents: ['x y '.repeat(3 + 2 * k)],
    answers: [k % 2 ? 'B' : 'A'],
    trace: `The answer is ${k % 2 ? 'B' : 'A'}.`,
  }));
  await writeFile(data, samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  await writeFile(reward, 'module.exports = ({ response }) => (response.length % 3) / 2;');
  return servedSpec(data, reward);
}

export interface ServedRun {
  folder: string;
  store: FolderStore;
  server: TinkerServer;
  spec: ReturnType<typeof servedSpec>;
  deps: EngineDependencies;
  run<I, R>(activity: (input: I) => Promise<R>, input: I): Promise<R>;
  /** Another worker: unless it keeps the state, it knows nothing of what the one before had on the service. */
  restartWorker(keepsState?: boolean): void;
  /** The worker ends in the midst of what it does; the next one finds what was written down, or nothing. */
  endWorker(keepsState: boolean): void;
  remove(): Promise<void>;
}

export async function servedRun(server: TinkerServer, changes: object = {}): Promise<ServedRun> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-served-'));
  const spec = { ...(await servedFiles(folder)), ...changes };
  const store = new FolderStore(join(folder, 'store'));
  let workers = 0;
  const engineOf = (keepsState = false) => {
    const stateFolder = join(folder, 'state', String(keepsState ? workers : ++workers));
    const engine = createTinkerEngine({
      url: server.url,
      keyVariable: null,
      environment: {},
      stateFolder,
      patience: 5,
    });
    const service = new ExaminedService(engine);
    return { engine, service, numerics: service.numerics };
  };
  const deps: EngineDependencies = {
    store,
    ...engineOf(),
    models: createModels(join(folder, 'models')),
    openSource: (source, signal) => openSource(source, { cacheDir: join(folder, 'cache'), signal }),
    rewarder: settings => createRewarder(settings, { store, environment: {} }),
    environment: {},
    readPreset: async () => ({}),
  };
  const closing: Promise<void>[] = [];
  let running: MockActivityEnvironment | null = null;
  let ended: { keepsState: boolean } | null = null;
  const replace = (keepsState: boolean) => {
    closing.push(deps.engine.close());
    Object.assign(deps, engineOf(keepsState));
  };
  return {
    ...{ folder, store, server, spec, deps },
    run: async (activity, input) => {
      running = new MockActivityEnvironment({}, { logger: QUIET });
      try {
        return await running.run(activity, input);
      } finally {
        if (ended) replace(ended.keepsState);
        ended = null;
      }
    },
    restartWorker: (keepsState = false) => replace(keepsState),
    endWorker: keepsState => {
      ended = { keepsState };
      running!.cancel();
    },
    remove: async () => {
      await Promise.all([...closing, deps.engine.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const startServed = (): Promise<TinkerServer> => TinkerServer.start(MODEL);
