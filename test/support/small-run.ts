/** A run small enough to think through: a spec, its data and everything the activities need, in a folder of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { openSource } from '../../activities/datasets/sources.js';
import type { EngineDependencies } from '../../activities/dependencies.js';
import { EngineRequestError } from '../../activities/engine/protocol/index.js';
import { createRewarder } from '../../activities/rewards/reward.js';
import { FolderStore, type OpenedStore } from '../../activities/store/index.js';
import type { TextTokens } from '../../activities/text/truncation.js';
import { hastyClock } from './fake-chat.js';
import { FakeEngine } from './fake-engine.js';

/** Failures are what tests look for; nobody needs them on the screen. */
const QUIET = new DefaultLogger('ERROR');

export interface SmallRun<S extends OpenedStore = FolderStore> {
  folder: string;
  store: S;
  engine: FakeEngine;
  deps: EngineDependencies;
  /** Of the workers, where endpoints' keys are. */
  environment: Record<string, string>;
  /** As a user would write it. */
  spec: ReturnType<typeof smallSpec>;
  /** Runs an activity as a worker would. */
  run<I, R>(activity: (input: I) => Promise<R>, input: I): Promise<R>;
  remove(): Promise<void>;
}

export async function smallRun(): Promise<SmallRun>;
/** On a store of another kind. */
export async function smallRun<S extends OpenedStore>(given: S): Promise<SmallRun<S>>;
export async function smallRun(given?: OpenedStore): Promise<SmallRun<OpenedStore>> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-'));
  const model = join(folder, 'model');
  await mkdir(model);
  await writeFile(join(model, 'config.json'), '{}');
  await writeFile(join(model, 'model.safetensors'), 'base weights');
  // Prompts of 21 … 60 characters, a token each.
  const samples = Array.from({ length: 40 }, (_, k) => ({
    id: `s${k}`,
    question: `${String(k).padStart(2, '0')}?`,
    documents: [{ title: null, text: 'x'.repeat(15 + k) }],
    answers: ['A'],
    task: 'docqa',
    trace: 'Therefore, the answer is A.',
  }));
  await writeFile(join(folder, 'data.jsonl'), samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  const store = given ?? new FolderStore(join(folder, 'store'));
  const engine = new FakeEngine();
  const environment: Record<string, string> = {};
  const deps: EngineDependencies = {
    store,
    engine,
    openSource: (source, signal) => openSource(source, { cacheDir: join(folder, 'cache'), signal }),
    rewarder: settings => createRewarder(settings, { store, environment, clock: hastyClock() }),
    environment,
    readPreset: async name => {
      if (name !== 'small') throw new Error(`there is no preset "${name}"`);
      return smallSpec(folder);
    },
    models: {
      resolve: async name => ({ directory: name, source: name }),
      tokens: async () => CHARACTERS,
      open: async () => ({
        contextLength: 100,
        stopIds: [46],
        adapterParameters: ({ targetModules }) => {
          if (!targetModules.includes('nowhere')) return 1;
          throw new EngineRequestError("LoRA target 'nowhere' names no linear layer");
        },
        thinkingOpen: () => false,
        promptIds: text => [...text].map(c => c.charCodeAt(0)),
        responseIds: text => [...text].map(c => c.charCodeAt(0)),
        responseText: ids => String.fromCharCode(...ids),
        ...CHARACTERS,
      }),
    },
  };
  return {
    folder,
    store,
    engine,
    deps,
    environment,
    spec: smallSpec(folder),
    run: (activity, input) => new MockActivityEnvironment({}, { logger: QUIET }).run(activity, input),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A token each. */
const CHARACTERS: TextTokens = {
  documentIds: text => [...text].map(c => c.charCodeAt(0)),
  documentText: ids => String.fromCharCode(...ids),
};

/** Two phases, of prompts up to 40 and up to 60 tokens, after 3 steps of warm-up. */
export function smallSpec(folder: string) {
  const source = { type: 'jsonl', path: join(folder, 'data.jsonl') };
  return {
    seed: 7,
    model: join(folder, 'model'),
    prompt: { template: '{document}\n{question}\n', chat: false },
    data: [source],
    warmup: { data: [source], maxTokens: 40, batchSize: 8, optimizer: { learningRate: 1e-3 } },
    rl: {
      groupSize: 4,
      promptsPerStep: 4,
      promptsPerUpdate: 2,
      optimizer: { learningRate: 1e-4 },
      sampling: { maxNewTokens: 30 },
    },
    phases: [
      { maxTokens: 40, steps: 3 },
      { maxTokens: 60, steps: 3 },
    ],
    evaluation: {
      sets: [{ name: 'held-out', source, limit: 5, allowOverlap: ['questions'] }],
      policies: ['base', 'final'],
    },
    checkpoints: { everySteps: 2 },
  };
}
