/**
 * The table of the engine's benchmark: what is done, against whom, and what is to be reached. Models are named hidden
 * size x layers (models.ts); we do all work in 32 bits.
 */
import type { PeerName } from './peers.js';
import type { Given, ModelName, WholeRun, Work } from './work.js';

/** What is to be reached; nothing is aimed at unless told. */
export interface Bar {
  /** Least ratio of medians, the peer's time over ours. */
  faster?: number;
  /** Largest ratio of peak memories, ours over the peer's. */
  memory?: number;
}

export interface PeerBar extends Bar {
  peer: PeerName;
}

export type Need = 'smollm2' | 'questions' | 'long' | 'against';

export interface Row {
  id: string;
  title: string;
  work: Work | WholeRun;
  peers: PeerBar[];
  /** Left out unless all of these are given on the command line. */
  needs?: Need[];
  /** Most turns, with no warm-up before them: for work of minutes. */
  turns?: number;
  /** The engine's setting `memory`, in bytes; its default unless told. */
  activations?: number;
  /** Most peak memory in bytes. */
  peakAtMost?: number;
  /** Largest ratio of the peak memory of the row `of` over this one's. */
  growth?: { of: string; atMost: number };
}

const GiB = 2 ** 30;

const onSmall = (promptTokens: number, newTokens: number) => ({
  model: '256x4' as ModelName,
  promptTokens,
  group: 8,
  newTokens,
  temperature: 1,
  topP: 1,
});

const onSmolLm2 = (promptTokens: number, newTokens: number) => ({
  model: 'smollm2' as ModelName,
  promptTokens,
  group: 8,
  newTokens,
  temperature: 0.7,
  topP: 0.95,
});

const trainers = (bar: Bar): PeerBar[] => [
  { peer: 'trl', ...bar },
  { peer: 'trl-bf16' },
  { peer: 'trl-batching' },
  { peer: 'trl-batching-bf16' },
];
const samplers = (bar: Bar): PeerBar[] => [
  { peer: 'generate', ...bar },
  { peer: 'generate-bf16' },
  { peer: 'batching' },
  { peer: 'batching-bf16' },
];
const llamaCpp: PeerBar[] = [{ peer: 'llama-32' }, { peer: 'llama-16' }, { peer: 'llama-4' }];

/** smollm2-hotpotqa on the given files, in minutes instead of half an hour. */
const shortened = ({ smollm2, questions }: Given): string[] => [
  `model=${smollm2}`,
  `data.0.path=${questions}/hotpotqa.json`,
  `warmup.data.0.path=${questions}/hotpotqa.json`,
  'warmup.data.0.to=48',
  `warmup.data.1.path=${questions}/2wikimultihopqa.json`,
  'warmup.data.1.to=8',
  `warmup.data.2.path=${questions}/musique.json`,
  'warmup.data.2.to=8',
  'phases.0.steps=2',
  'phases.1.steps=2',
  ...[0, 1].flatMap(k => [
    `evaluation.sets.${k}.source.path=${questions}/hotpotqa.json`,
    `evaluation.sets.${k}.source.to=8`,
  ]),
];

export const ROWS: readonly Row[] = [
  {
    id: 'grpo-4096',
    title: 'GRPO step, 256 x 4, prompt 4,096, group 8, response 128',
    work: { kind: 'grpo', ...onSmall(4096, 128) },
    peers: trainers({ faster: 10, memory: 1 / 3 }),
  },
  {
    id: 'grpo-512',
    title: 'GRPO step, 256 x 4, prompt 512, group 8, response 64',
    work: { kind: 'grpo', ...onSmall(512, 64) },
    peers: trainers({ faster: 3 }),
  },
  {
    id: 'rollouts-4096',
    title: 'rollouts, 256 x 4, prompt 4,096, group 8, response 128',
    work: { kind: 'rollouts', ...onSmall(4096, 128) },
    peers: samplers({ faster: 10 }),
  },
  {
    id: 'rollouts-256',
    title: 'rollouts, 256 x 4, prompt 256, group 8, response 128',
    work: { kind: 'rollouts', ...onSmall(256, 128) },
    peers: samplers({ faster: 4 }),
  },
  {
    id: 'rollouts-16',
    title: 'rollouts of a step, 256 x 4, 16 prompts of 320, group 8, response 32',
    work: { kind: 'groups', groups: 16, ...onSmall(320, 32) },
    peers: [],
  },
  {
    id: 'train-256x4',
    title: 'training step, 256 x 4, batch 8 x 512',
    work: { kind: 'training', model: '256x4', batch: 8, length: 512 },
    peers: [
      { peer: 'eager', faster: 1.1 },
      { peer: 'compile', faster: 0.95 },
      { peer: 'eager-bf16' },
      { peer: 'compile-bf16' },
    ],
  },
  {
    id: 'train-4096',
    title: 'training step, 128 x 2, batch 1 x 4,096',
    work: { kind: 'training', model: '128x2', batch: 1, length: 4096 },
    peers: [{ peer: 'eager', faster: 1, memory: 1 }, { peer: 'eager-bf16' }],
  },
  {
    id: 'train-16384',
    title: 'training step, 128 x 2, batch 1 x 16,384',
    work: { kind: 'training', model: '128x2', batch: 1, length: 16_384 },
    peers: [{ peer: 'eager', faster: 1, memory: 1 }, { peer: 'eager-bf16' }],
  },
  {
    id: 'smollm2-rollout',
    title: 'rollouts, SmolLM2-135M, prompt 300, group 8, response 48',
    work: { kind: 'rollouts', ...onSmolLm2(300, 48) },
    peers: [...samplers({ faster: 3 }), ...llamaCpp],
    needs: ['smollm2'],
  },
  {
    id: 'smollm2-rollout-1000',
    title: 'rollouts, SmolLM2-135M, prompt 1,000, group 8, response 96',
    work: { kind: 'rollouts', ...onSmolLm2(1000, 96) },
    peers: [...samplers({}), ...llamaCpp],
    needs: ['smollm2'],
  },
  {
    id: 'smollm2-update',
    title: 'GRPO update, SmolLM2-135M, 4 groups of 8, prompt 300, response 48',
    work: { kind: 'update', groups: 4, ...onSmolLm2(300, 48) },
    peers: [{ peer: 'update', faster: 2 }, { peer: 'update-bf16' }],
    needs: ['smollm2'],
  },
  {
    id: 'long-65536',
    title: 'GRPO step, 256 x 4, prompt 65,536, group 8, response 128',
    work: { kind: 'grpo', ...onSmall(65_536, 128) },
    peers: [],
    needs: ['long'],
    turns: 1,
    activations: 3 * GiB,
    peakAtMost: 8 * GiB,
  },
  {
    id: 'memory-growth',
    title: 'the same at prompt 8,192: growth of peak memory to 65,536',
    work: { kind: 'grpo', ...onSmall(8192, 128) },
    peers: [],
    needs: ['long'],
    turns: 1,
    activations: 3 * GiB,
    growth: { of: 'long-65536', atMost: 8.5 },
  },
  {
    id: 'run-tiny',
    title: 'a whole run of tiny',
    work: { kind: 'run', preset: 'tiny', set: () => [] },
    peers: [],
    needs: ['against'],
    turns: 3,
  },
  {
    id: 'run-smollm2',
    title: 'a run of smollm2-hotpotqa: 4 steps of warm-up, 2 a phase, 8 questions of evaluation a set',
    work: { kind: 'run', preset: 'smollm2-hotpotqa', set: shortened },
    peers: [],
    needs: ['against', 'smollm2', 'questions'],
    turns: 3,
  },
];
