/** What the artifacts in the store hold. The layout of their names is in store/layout.ts. */
import type { PolicyRef } from '../contract/index.js';
import type { Sample } from '../datasets/index.js';
import type {
  GeneratedResponse,
  LossSettings,
  OptimizerSettings,
  SftMetrics,
  UpdateMetrics,
} from '../engine/protocol/index.js';
import type { CodeVersion } from '../provenance/index.js';
import type { JudgeUsage, ResponseReward } from '../rewards/index.js';
import { type ArtifactRef, readJson, readLines, type StageAttempt, type Store } from '../store/index.js';

/** A line of data/train.jsonl or data/set-*.jsonl: a sample ready for the model. */
export interface PromptItem {
  id: string;
  task: Sample['task'];
  /** What its source says that it counts as where tasks are balanced, or advantages scaled by them; absent: its task. */
  taskName?: string;
  question: string;
  answers: string[];
  promptIds: number[];
  /** The prompt ends inside <think>: its response is thinking until `</think>`. Absent where it does not. */
  thinkingOpen?: true;
  /** Numbers, from 1, of the documents that the answer rests on, where an evidence reward is to know them. */
  evidence?: number[];
}

/** A line of data/warmup.jsonl. */
export interface TraceItem {
  id: string;
  promptIds: number[];
  responseIds: number[];
}

/** pools/<phase>.json: what a phase draws from. */
export interface Pool {
  stage: StageAttempt;
  band: { above: number; upTo: number };
  counts: {
    /** Samples of the phase's own length band. */
    band: number;
    /** Samples carried over from earlier bands, repetitions included. */
    carried: number;
    /** Earlier samples with a known difficulty that could have been carried. */
    candidates: number;
  };
  entries: PoolEntry[];
}

export interface PoolEntry {
  /** Line in data/train.jsonl, from 0. */
  index: number;
  id: string;
  origin: 'band' | 'carried';
  /** Of carried samples: what their difficulty was taken from. */
  meanReward: number | null;
  weight: number | null;
}

/** A line of steps/<step>/rollouts-<refill>.jsonl: one prompt and the responses of one policy. */
export interface RolloutGroup {
  policy: string;
  id: string;
  index: number;
  origin: PoolEntry['origin'];
  /** Position in the phase's endless sequence of draws. */
  cursor: number;
  seed: string;
  promptIds: number[];
  responses: GeneratedResponse[];
  /** Where advantages are scaled by task. */
  task?: string;
}

/** A line of steps/<step>/scores-<refill>.jsonl, in the order of the rollouts. */
export interface ScoredRollouts {
  id: string;
  index: number;
  origin: PoolEntry['origin'];
  /** Null of a group that is unscored. */
  meanReward: number | null;
  responses: ScoredResponse[];
  /** Why the group cannot teach anything: equal rewards, or none to be had (`reason` says why); null if its rewards differ. */
  dropped: 'no-variance' | 'unscored' | null;
  reason?: string;
}

/** Of an unscored group the text alone. */
export type ScoredResponse = { text: string } & Partial<ResponseReward>;

/** One round of a step: its rollouts and their scores, line by line. */
export interface Round {
  rollouts: ArtifactRef;
  scores: ArtifactRef;
}

/** How a step's updates are made from its inputs. With the inputs' hashes it decides the resulting policy's bits. */
export type StepSettings =
  | { kind: 'sft'; optimizer: OptimizerSettings; microBatchTokens: number }
  | {
      kind: 'rl';
      loss: LossSettings;
      optimizer: OptimizerSettings;
      microBatchTokens: number;
      /** `effective`: the first `groups` with reward variance, in draw order; `all`: every group drawn. */
      take: 'effective' | 'all';
      groups: number;
      groupsPerUpdate: number;
    };

/** What a step starts from: enough to make it, and to make it again. */
export interface StepInputs {
  parent: PolicyRef;
  /** Whether the stage begins here, with a fresh optimiser. */
  freshOptimizer: boolean;
  /** SFT: lines of the warm-up data. RL: none. */
  examples: { data: ArtifactRef; lines: number[] } | null;
  /** RL: the rounds of rollouts. SFT: none. */
  rounds: Round[];
  /** Where the first round was sampled beside the update that made the parent: the policy before that. */
  sampler?: PolicyRef;
  settings: StepSettings;
  /** With a KL term: the policy that it holds this one near. */
  reference?: PolicyRef;
}

/** steps/<step>/update.json: the redo log's entry. */
export interface UpdateRecord {
  stage: StageAttempt;
  step: number;
  inputs: StepInputs;
  /** The policy after the step; the parent itself if the step was skipped. */
  result: PolicyRef;
  skipped: 'no-signal' | null;
  /** One for each optimiser update, wall time left out: equal inputs give an equal record. */
  metrics: Omit<SftMetrics & Partial<UpdateMetrics>, 'seconds'>[];
  counts: StepCounts | null;
  /** What made it; records of earlier versions do not say. */
  code?: CodeVersion;
}

/** Groups of an RL step, over all its rounds. */
export interface StepCounts {
  drawn: number;
  carriedDrawn: number;
  /** Groups whose rewards differ. */
  effective: number;
  carriedEffective: number;
  /** Groups dropped for want of variance. */
  noVariance: number;
  /** Groups dropped for want of rewards: whoever was asked for them gave none. */
  unscored: number;
  /** Effective groups beyond those wanted. */
  surplus: number;
  trained: number;
  /** Over all groups that have rewards; null when none has. */
  meanReward: number | null;
  passRate: number | null;
  /** What the judge was asked, over all rounds; absent without one. */
  judge?: JudgeUsage;
}

/** checkpoints/<policy>/state.json */
export interface CheckpointState {
  name: string;
  /** As the log has it: of model.safetensors, or of an adapter's adapter_model.safetensors. */
  sha256: string;
  /** Of which file that is, where it is another; null where it is of none, since the weights differ from making to making. */
  weights?: string | null;
  /** Adapters: the policy whose snapshot holds the model beneath. */
  base?: PolicyRef;
  parent: string | null;
  /** Uri of the redo log's entry that made it; null for the base. */
  update: string | null;
  /** SHA-256 of every other file in the folder. */
  files: Record<string, string>;
}

/** The engine could not read a snapshot that lies as it was published: its disk was away at that moment, most likely. */
export class UnreadableSnapshotError extends Error {
  override readonly name = 'UnreadableSnapshotError';
  constructor(uri: string, cause: Error) {
    super(`${uri} is whole, yet the engine could not read it: ${cause.message}`, { cause });
  }
}

/** <phase>/<attempt>/difficulty.json: rewards by line of data/train.jsonl. */
export interface DifficultyRecord {
  samples: { index: number; id: string; responses: number; meanReward: number }[];
}

/** Which policy sampled a round, from 0. */
export const sampledBy = ({ parent, sampler }: Pick<StepInputs, 'parent' | 'sampler'>, round: number): PolicyRef =>
  (round === 0 && sampler) || parent;

/** Every reward that the groups have, in order. */
export function rewardsOf(groups: readonly ScoredRollouts[]): number[] {
  return groups.flatMap(group => (group.dropped === 'unscored' ? [] : group.responses.map(({ reward }) => reward!)));
}

/** A right answer: reward 1, to which evidence may add but which it alone does not reach. */
export const isPass = (reward: number): boolean => reward >= 1;

const caches = new WeakMap<Store, Map<string, Promise<unknown>>>();
/** Of a run: its spec, base and pool, and the data that it trains and is evaluated on. */
const CACHED_FILES = 16;

/** What an artifact holds, kept in memory: every step reads the same few. Shared, so it must not be changed. */
function kept<T>(store: Store, key: string, read: () => Promise<T>): Promise<T> {
  const cache = caches.get(store) ?? new Map<string, Promise<unknown>>();
  caches.set(store, cache);
  const cached = cache.get(key);
  if (cached) return cached as Promise<T>;
  const content = read();
  cache.set(key, content);
  content.catch(() => cache.delete(key));
  if (cache.size > CACHED_FILES) cache.delete(cache.keys().next().value!);
  return content;
}

/** The lines of a data artifact. */
export function readData<T>(store: Store, ref: ArtifactRef): Promise<readonly T[]> {
  return kept(store, `lines of ${ref.sha256}`, () => readLines<T>(store, ref));
}

/** The value of an artifact that many steps read. */
export function readKept<T>(store: Store, ref: ArtifactRef): Promise<Readonly<T>> {
  return kept(store, `value of ${ref.sha256}`, () => readJson<T>(store, ref));
}
