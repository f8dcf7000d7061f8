/**
 * What is timed: pieces of work that both sides of a row are asked to do, and the tokens they do it on. An assignment
 * crosses to the Python side as JSON, so both sides work on the same model, tokens and settings.
 */
import { DEFAULT_OPTIMIZER, type OptimizerSettings } from '../../activities/engine/protocol/index.js';
import { type RandomStream, randomStream } from '../../activities/engine/random.js';

/** Names in models.ts. */
export type ModelName = '256x4' | '128x2' | 'smollm2';

/** A group's responses all have exactly `newTokens` tokens: nothing stops one early. */
interface Sampled {
  model: ModelName;
  promptTokens: number;
  /** Responses to a prompt. */
  group: number;
  newTokens: number;
  temperature: number;
  topP: number;
}

export type Work =
  /** Rollouts of one group, its rewards, one update on it. */
  | ({ kind: 'grpo' } & Sampled)
  /** Rollouts of one group. */
  | ({ kind: 'rollouts' } & Sampled)
  /** Rollouts of several groups at once, as a step of a run asks for them. */
  | ({ kind: 'groups'; groups: number } & Sampled)
  /** One update on rollouts that are already there. */
  | ({ kind: 'update'; groups: number } & Sampled)
  /** Forward, backward and AdamW on the cross-entropy of every token but each sequence's first. */
  | { kind: 'training'; model: ModelName; batch: number; length: number };

/** A run of the method from its start to its end, on a server and workers of its own. */
export interface WholeRun {
  kind: 'run';
  preset: string;
  /** `path=value` settings laid over it. */
  set: (given: Given) => string[];
}

/** What a command line gave the rows to work on. */
export interface Given {
  /** SmolLM2-135M as a Hugging Face folder. */
  smollm2?: string | undefined;
  /** A folder of questions: hotpotqa.json, 2wikimultihopqa.json and musique.json. */
  questions?: string | undefined;
}

export interface Assignment {
  work: Work;
  /** The model, as a Hugging Face folder. */
  directory: string;
  vocabularySize: number;
  threads: number;
  optimizer: OptimizerSettings;
  /** The policy loss's ratio is kept within [1 - clip, 1 + clip]. */
  clip: number;
  tokens: Tokens;
}

/** Uniformly random token ids, the same in every run. */
export interface Tokens {
  /** `training`: batch x length. */
  sequences: number[][];
  /** All else: one prompt a group, equally long. */
  prompts: number[][];
  /** `update`: for each prompt its responses. */
  responses: number[][][];
}

/** Small, so that repetitions stay alike; clipping to norm 1 and no weight decay, as GRPOTrainer has it. */
const OPTIMIZER: OptimizerSettings = { ...DEFAULT_OPTIMIZER, learningRate: 1e-6 };
const CLIP = 0.2;

export function assign(work: Work, directory: string, vocabularySize: number, threads: number): Assignment {
  const tokens = tokensOf(work, vocabularySize, randomStream('bench', JSON.stringify(work)));
  return { work, directory, vocabularySize, threads, optimizer: OPTIMIZER, clip: CLIP, tokens };
}

function tokensOf(work: Work, vocabularySize: number, random: RandomStream): Tokens {
  const row = (length: number) => Array.from({ length }, () => random.below(vocabularySize));
  const rows = (count: number, length: number) => Array.from({ length: count }, () => row(length));
  if (work.kind === 'training') return { sequences: rows(work.batch, work.length), prompts: [], responses: [] };
  const prompts = rows('groups' in work ? work.groups : 1, work.promptTokens);
  if (work.kind !== 'update') return { sequences: [], prompts, responses: [] };
  return {
    sequences: [],
    prompts,
    responses: Array.from({ length: work.groups }, () => rows(work.group, work.newTokens)),
  };
}

/** Share of even ids: a rule with some variance in every group. The Python side has the same. */
export const rewardOf = (response: readonly number[]): number =>
  response.filter(id => id % 2 === 0).length / response.length;
