/** The golden numbers: what transformers and PyTorch gave for three small random models (test/fixtures/golden/make.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LossSettings, OptimizerSettings, ScoredGroup, SftExample } from '../../activities/engine/protocol/index';

export const FAMILIES = ['llama', 'qwen2', 'qwen3'] as const;

interface GoldenGradients {
  loss: number;
  gradNorm: number;
  gradientNorms: Record<string, number>;
  gradients: Record<string, { shape: number[]; base64: string }>;
}

export interface Golden {
  sequences: { ids: number[]; logprobs: (number | null)[] }[];
  tempered: { temperature: number; ids: number[]; logprobs: (number | null)[] };
  greedy: { promptIds: number[]; ids: number[]; logprobs: number[] }[];
  sft: GoldenGradients & { examples: SftExample[] };
  updates: (GoldenGradients & {
    name: string;
    groups: ScoredGroup[];
    settings: LossSettings;
    metrics: Record<string, number>;
  })[];
  adamw: {
    optimizer: OptimizerSettings;
    batches: SftExample[][];
    metrics: { loss: number; gradNorm: number }[];
    norms: Record<string, number>;
    weights: Record<string, { shape: number[]; base64: string }>;
  };
}

/** An adapter that PEFT wrote for a tiny model, and what PEFT computes with it. */
export interface GoldenAdapter {
  name: string;
  family: string;
  sequence: { ids: number[]; logprobs: (number | null)[] };
  sft: GoldenGradients & { examples: SftExample[] };
  adamw: Omit<Golden['adamw'], 'weights'>;
}

/** A folder that transformers or PEFT saved: what these compute with it, or by which words it is refused. */
export interface FolderCase {
  name: string;
  what: string;
  /** The model of an adapter. */
  base?: string;
  refused?: string;
  ids?: number[];
  logprobs?: (number | null)[];
  /** A training step on an adapter. */
  sft?: { examples: SftExample[]; loss: number; gradNorm: number };
}

const GOLDEN = join(__dirname, '../fixtures/golden');

export const goldenFolder = (family: string): string => join(GOLDEN, family);

export function golden(family: string): Golden {
  return JSON.parse(readFileSync(join(GOLDEN, `${family}.json`), 'utf8')) as Golden;
}

export function goldenAdapters(): GoldenAdapter[] {
  return JSON.parse(readFileSync(join(GOLDEN, 'adapters.json'), 'utf8')).adapters as GoldenAdapter[];
}

/** A tokenizer that the libraries saved, with the ids of the Rust library. */
export interface TokenizerCase {
  name: string;
  what: string;
  texts: { text: string; ids: number[] }[];
  chat?: number[];
  /** Whether AutoTokenizer of transformers 5 gives the same. */
  same: boolean;
}

export function goldenFolders(): { models: FolderCase[]; adapters: FolderCase[]; tokenizers: TokenizerCase[] } {
  return JSON.parse(readFileSync(join(GOLDEN, 'folders.json'), 'utf8'));
}

export function decodeFloats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const norm = (data: Float32Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
