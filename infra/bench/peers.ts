/**
 * Whom the engine is measured against, each as its users run it: in 32 bits as ours, in bfloat16 where the processor has
 * it, with weights of fewer bits. Some compute something else by that; the table says what.
 */
import type { Feature } from './processor.js';

/** What its program is run by (runtimes.ts). */
export type RuntimeName = 'python' | 'llama';

export interface Peer {
  title: string;
  runtime: RuntimeName;
  /** As its runtime takes it, with its arguments. */
  program: readonly string[];
  /** Left out where the processor has it not. */
  needs?: Feature;
}

const TORCH = {
  trl: { title: 'TRL GRPOTrainer', runtime: 'python', program: ['trl_grpo.py'] },
  'trl-batching': {
    title: 'TRL GRPOTrainer, continuous batching',
    runtime: 'python',
    program: ['trl_grpo.py', 'batching'],
  },
  generate: { title: 'transformers generate', runtime: 'python', program: ['transformers_rollouts.py'] },
  batching: { title: 'transformers continuous batching', runtime: 'python', program: ['transformers_batching.py'] },
  eager: { title: 'PyTorch SDPA eager', runtime: 'python', program: ['torch_training.py'] },
  compile: { title: 'torch.compile', runtime: 'python', program: ['torch_training.py', 'compile'] },
  update: { title: 'PyTorch eager', runtime: 'python', program: ['torch_policy_update.py'] },
} as const satisfies Record<string, Peer>;

/** The same programs with the argument `bfloat16`. */
const BFLOAT16 = Object.fromEntries<Peer>(
  Object.entries<Peer>(TORCH).map(([name, { title, runtime, program }]) => [
    `${name}-bf16`,
    { title: `${title}, bfloat16`, runtime, program: [...program, 'bfloat16'], needs: 'bfloat16' },
  ]),
) as Record<`${keyof typeof TORCH}-bf16`, Peer>;

const LLAMA = {
  'llama-32': { title: 'llama.cpp, 32-bit weights', runtime: 'llama', program: ['llama-rollouts.js', 'f32.gguf'] },
  'llama-16': { title: 'llama.cpp, 16-bit weights', runtime: 'llama', program: ['llama-rollouts.js', 'f16.gguf'] },
  'llama-4': { title: 'llama.cpp, 4-bit weights', runtime: 'llama', program: ['llama-rollouts.js', 'q4_1.gguf'] },
} as const satisfies Record<string, Peer>;

export const PEERS = { ...TORCH, ...BFLOAT16, ...LLAMA };

export type PeerName = keyof typeof PEERS;
