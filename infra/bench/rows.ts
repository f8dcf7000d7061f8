/**
 * The table of the engine's benchmark: what is done, against whom, and what is to be reached. Models are named hidden
 * size x layers (models.ts); all work is done in 32 bits.
 */
import type { ModelName, Work } from './work.js';

export interface Peer {
  title: string;
  /** In peers/, with its arguments. */
  command: [script: string, ...args: string[]];
}

export const PEERS = {
  trl: { title: 'TRL GRPOTrainer', command: ['trl_grpo.py'] },
  generate: { title: 'transformers generate', command: ['transformers_rollouts.py'] },
  eager: { title: 'PyTorch SDPA eager', command: ['torch_training.py'] },
  compile: { title: 'torch.compile', command: ['torch_training.py', 'compile'] },
  update: { title: 'PyTorch eager', command: ['torch_policy_update.py'] },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;

export interface PeerBar {
  peer: PeerName;
  /** Least ratio of medians, the peer's time over ours. */
  faster: number;
  /** Largest ratio of peak memories, ours over the peer's. */
  memory?: number;
}

export interface Row {
  id: string;
  title: string;
  work: Work;
  peers: PeerBar[];
  /** Left out unless this is given on the command line. */
  needs?: 'smollm2' | 'long';
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

const onSmolLm2 = {
  model: 'smollm2' as ModelName,
  promptTokens: 300,
  group: 8,
  newTokens: 48,
  temperature: 0.7,
  topP: 0.95,
};

export const ROWS: readonly Row[] = [
  {
    id: 'grpo-4096',
    title: 'GRPO step, 256 x 4, prompt 4,096, group 8, response 128',
    work: { kind: 'grpo', ...onSmall(4096, 128) },
    peers: [{ peer: 'trl', faster: 10, memory: 1 / 3 }],
  },
  {
    id: 'grpo-512',
    title: 'GRPO step, 256 x 4, prompt 512, group 8, response 64',
    work: { kind: 'grpo', ...onSmall(512, 64) },
    peers: [{ peer: 'trl', faster: 3 }],
  },
  {
    id: 'rollouts-4096',
    title: 'rollouts, 256 x 4, prompt 4,096, group 8, response 128',
    work: { kind: 'rollouts', ...onSmall(4096, 128) },
    peers: [{ peer: 'generate', faster: 10 }],
  },
  {
    id: 'rollouts-256',
    title: 'rollouts, 256 x 4, prompt 256, group 8, response 128',
    work: { kind: 'rollouts', ...onSmall(256, 128) },
    peers: [{ peer: 'generate', faster: 4 }],
  },
  {
    id: 'train-256x4',
    title: 'training step, 256 x 4, batch 8 x 512',
    work: { kind: 'training', model: '256x4', batch: 8, length: 512 },
    peers: [
      { peer: 'eager', faster: 1.1 },
      { peer: 'compile', faster: 0.95 },
    ],
  },
  {
    id: 'train-4096',
    title: 'training step, 128 x 2, batch 1 x 4,096',
    work: { kind: 'training', model: '128x2', batch: 1, length: 4096 },
    peers: [{ peer: 'eager', faster: 1, memory: 1 }],
  },
  {
    id: 'train-16384',
    title: 'training step, 128 x 2, batch 1 x 16,384',
    work: { kind: 'training', model: '128x2', batch: 1, length: 16_384 },
    peers: [{ peer: 'eager', faster: 1, memory: 1 }],
  },
  {
    id: 'smollm2-rollout',
    title: 'rollouts, SmolLM2-135M, prompt 300, group 8, response 48',
    work: { kind: 'rollouts', ...onSmolLm2 },
    peers: [{ peer: 'generate', faster: 3 }],
    needs: 'smollm2',
  },
  {
    id: 'smollm2-update',
    title: 'GRPO update, SmolLM2-135M, 4 groups of 8, prompt 300, response 48',
    work: { kind: 'update', groups: 4, ...onSmolLm2 },
    peers: [{ peer: 'update', faster: 2 }],
    needs: 'smollm2',
  },
  {
    id: 'long-65536',
    title: 'GRPO step, 256 x 4, prompt 65,536, group 8, response 128',
    work: { kind: 'grpo', ...onSmall(65_536, 128) },
    peers: [],
    needs: 'long',
    activations: 3 * GiB,
    peakAtMost: 8 * GiB,
  },
  {
    id: 'memory-growth',
    title: 'the same at prompt 8,192: growth of peak memory to 65,536',
    work: { kind: 'grpo', ...onSmall(8192, 128) },
    peers: [],
    needs: 'long',
    activations: 3 * GiB,
    growth: { of: 'long-65536', atMost: 8.5 },
  },
];
