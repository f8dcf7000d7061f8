/**
 * What the engine can be asked: the one contract between the engine's child process and everyone who uses it.
 *
 * The engine holds one policy at a time (weights, optimiser moments, step count) and knows token ids only: text, stores,
 * rewards and Temporal live outside. Requests and results are small and cross by IPC; weights cross as folders on disk.
 */

/** AdamW (Loshchilov & Hutter 2019, algorithm 2) with bias correction, decoupled decay and global-norm clipping. */
export interface OptimizerSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Largest L2 norm of the whole gradient; 0 switches clipping off. */
  maxGradNorm: number;
}

export const DEFAULT_OPTIMIZER: Omit<OptimizerSettings, 'learningRate'> = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
};

/**
 * Tokens of one forward and backward pass: a group over it is torn, and its prompt then computed once a part. Activations
 * that outgrow the memory meanwhile are computed again, so this can be large.
 */
export const DEFAULT_MICRO_BATCH_TOKENS = 16_384;

/** Soft overlong punishment (DAPO, arXiv 2503.14476, eq. 13), lengths in tokens. */
export interface OverlongSettings {
  maxLength: number;
  cache: number;
}

/** What sets them apart, and which paper each is from, stands in algorithms.ts. */
export const ALGORITHM_NAMES = ['grpo', 'dapo', 'dr-grpo', 'gspo', 'cispo', 'rloo'] as const;
export type Algorithm = (typeof ALGORITHM_NAMES)[number];

/** What some algorithms leave to choose. */
export interface WeightingSettings {
  /** DAPO only: token mean within each prompt's group (the paper's equation) or over the whole mini-batch (the authors' code). */
  tokenMean: 'group' | 'batch';
  /** Dr. GRPO only, and needed there: the most tokens that a response may have. Sums over tokens are divided by it. */
  maxResponseTokens?: number;
}

export interface LossSettings extends WeightingSettings {
  algorithm: Algorithm;
  /** The ratio is clipped to [1 - clipLow, 1 + clipHigh]. */
  clipLow: number;
  clipHigh: number;
  /** The temperature the rollouts were sampled at: log-probabilities are taken from logits / temperature. */
  temperature: number;
  overlong: OverlongSettings | null;
  /**
   * Adds coefficient times KL(trainer || reference) to the loss, in the k3 estimate (GRPO, arXiv 2402.03300, eq. 4), tokens
   * weighing what they weigh in the loss. Needs a reference. Costs a scoring pass under its weights.
   */
  kl?: { coefficient: number } | null;
  /**
   * Truncated importance sampling between sampler and trainer: ratios are taken against `proximal`, and each token's term
   * is multiplied by min(exp(proximal - sampler's), importanceCap). Responses bear `proximal` with it, and only with it.
   */
  importanceCap?: number | null;
}

export interface SamplingSettings {
  /** 0 is greedy; log-probabilities are then those at temperature 1. */
  temperature: number;
  /** 1 keeps every token. */
  topP: number;
  /** 0 keeps every token. */
  topK: number;
  maxNewTokens: number;
  /** A response ends with (and includes) the first of these ids. */
  stopIds: number[];
}

/** A low-rank adapter (LoRA, arXiv 2106.09685) that is trained in the weights' stead: see lora.ts. */
export interface LoraSettings {
  rank: number;
  alpha: number;
  /** The last parts of linear layers' names (`q_proj`, or longer: `layers.0.mlp.up_proj`), or every one but the head. */
  targetModules: readonly string[] | 'all-linear';
  /** Scales by alpha / sqrt(rank) (rank-stabilised, arXiv 2312.03732) instead of alpha / rank. */
  rslora: boolean;
}

export const DEFAULT_LORA = {
  rank: 16,
  alpha: 32,
  targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  rslora: false,
} satisfies LoraSettings;

/** An adapter that changes nothing yet. */
export interface FreshAdapter {
  settings: LoraSettings;
  /** Names the random numbers that it begins with. */
  seed: string | number;
  /** What PEFT calls the model beneath: base_model_name_or_path. */
  baseModel: string | null;
}

export interface LoadRequest {
  /** A Hugging Face folder. */
  directory: string;
  /**
   * Trains an adapter over the folder's weights, which stay as they are: one from PEFT's folder, or a fresh one. Null or
   * absent: all weights are trained.
   */
  adapter?: { directory: string } | { fresh: FreshAdapter } | null;
  /**
   * A folder to take optimizer.safetensors from, moments and step count; null starts a fresh optimiser. Absent: what is
   * trained has it beside it (in `directory`, or the adapter's), if any.
   */
  optimizer?: string | null;
  /** The caller's name for what is loaded; `status` gives it back, so a policy in memory is not loaded twice. */
  tag: string;
}

/**
 * A policy kept beside the one that is trained, for the KL term: a Hugging Face folder, with PEFT's adapter over it if it
 * has one. Of the trained policy's architecture and size. The next `load` lets it go.
 */
export interface ReferenceRequest {
  directory: string;
  adapter?: { directory: string } | null;
  /** The caller's name for it; `status` gives it back. */
  tag: string;
}

export interface ModelSummary {
  architecture: 'llama' | 'qwen2' | 'qwen3';
  parameters: number;
  vocabularySize: number;
  /** Longest sequence in tokens (max_position_embeddings). */
  contextLength: number;
  layers: number;
  hiddenSize: number;
}

export interface EngineStatus {
  /** Tag of the policy in memory; null when none is loaded or an operation on it was interrupted. */
  tag: string | null;
  model: ModelSummary | null;
  /** Tag of the reference policy; null without one. */
  reference: string | null;
  pid: number;
}

export interface GeneratePrompt {
  ids: number[];
  /** Names the random stream: response i draws from (seed, i). Equal weights, prompt and seed give equal responses, whatever else is in the batch. */
  seed: string;
}

export interface GenerateRequest {
  prompts: GeneratePrompt[];
  /** Responses to each prompt. */
  group: number;
  sampling: SamplingSettings;
}

export interface GeneratedResponse {
  ids: number[];
  /** Natural log of the probability at the sampling temperature over the whole vocabulary (before top-p and top-k). */
  logprobs: number[];
  finish: 'stop' | 'length';
}

export interface GenerateResult {
  /** In the order of the prompts. */
  groups: { responses: GeneratedResponse[] }[];
  newTokens: number;
  promptTokens: number;
  seconds: number;
}

export interface LogprobsRequest {
  sequences: number[][];
  /** Logits are divided by it; 1 unless told. */
  temperature?: number;
}

export interface LogprobsResult {
  /** For each sequence one value a token, natural log; the first is null. */
  logprobs: (number | null)[][];
}

/** Responses to prompts, each prompt computed once. */
export interface ScoreRequest {
  groups: { promptIds: number[]; responses: number[][] }[];
  /** Logits are divided by it. */
  temperature: number;
}

export interface ScoreResult {
  /** By group and response one value a token of the response, natural log. */
  logprobs: number[][][];
}

export interface SftExample {
  promptIds: number[];
  responseIds: number[];
}

/** One optimiser step over the examples: mean over examples of each one's mean negative log-likelihood of its response tokens. */
export interface SftRequest {
  examples: SftExample[];
  optimizer: OptimizerSettings;
  /** Bound on the tokens of one forward and backward pass; the split is a function of the examples and this number alone. */
  microBatchTokens: number;
  /** Tag of the policy after the step. */
  tag: string;
}

export interface StepMetrics {
  loss: number;
  /** L2 norm of the whole gradient before clipping. */
  gradNorm: number;
  /** Mean entropy in nats over response tokens. */
  entropy: number;
  /** Response tokens the loss was taken over. */
  tokens: number;
  /** The optimiser's step count after this step. */
  optimizerStep: number;
  seconds: number;
}

export type SftMetrics = StepMetrics;

export interface ScoredResponse {
  ids: number[];
  /** The sampler's log-probabilities, one a token. */
  logprobs: number[];
  reward: number;
  /** The trainer's own log-probabilities under the policy that sampled, one a token: see LossSettings.importanceCap. */
  proximal?: number[];
}

export interface ScoredGroup {
  promptIds: number[];
  responses: ScoredResponse[];
}

/** One optimiser step over the groups. What each algorithm makes of them is in algorithms.ts. */
export interface UpdateRequest {
  groups: ScoredGroup[];
  loss: LossSettings;
  optimizer: OptimizerSettings;
  microBatchTokens: number;
  tag: string;
}

export interface UpdateMetrics extends StepMetrics {
  /** Share of response tokens whose term clipping changed. */
  clipFraction: number;
  /** Mean over tokens of exp(d) - 1 - d with d = trainer's minus sampler's log-probability: the k3 estimator of KL(sampler || trainer). */
  kl: number;
  /** With a KL term: mean over tokens of its estimate of KL(trainer || reference). */
  referenceKl?: number;
  /** |sampler's - trainer's log-probability|, largest and mean over tokens. */
  logprobDifferenceMax: number;
  logprobDifferenceMean: number;
  /** Mean reward of the groups, after overlong shaping. */
  reward: number;
  /** Groups whose rewards differ. */
  effectiveGroups: number;
}

export interface SaveRequest {
  /** Must not exist yet or be empty; becomes a Hugging Face folder, or PEFT's adapter folder, plus optimizer.safetensors. */
  directory: string;
  withOptimizer: boolean;
  /** With an adapter: the whole model, the adapter laid into its weights, without an optimiser's state. */
  merged?: boolean;
}

export interface SavedPolicy {
  /** Of the weights that were written: model.safetensors, or adapter_model.safetensors; hex. */
  sha256: string;
  bytes: number;
  /** Of optimizer.safetensors; null where none was written. */
  optimizerSha256: string | null;
}

export interface EngineOperations {
  /** Refused where the engine's execution provider cannot be used. */
  status: [Record<string, never>, EngineStatus];
  load: [LoadRequest, ModelSummary];
  reference: [ReferenceRequest, Record<string, never>];
  generate: [GenerateRequest, GenerateResult];
  logprobs: [LogprobsRequest, LogprobsResult];
  score: [ScoreRequest, ScoreResult];
  sft: [SftRequest, SftMetrics];
  update: [UpdateRequest, UpdateMetrics];
  save: [SaveRequest, SavedPolicy];
  /** SHA-256 that `save` would report (unmerged), without writing. */
  fingerprint: [Record<string, never>, { sha256: string }];
}

export type Operation = keyof EngineOperations;

/** Sent while an operation works, at least once a second or once a unit of work, whichever is longer. */
export interface EngineProgress {
  operation: Operation;
  /** Work done and in all, in `unit`s. */
  done: number;
  total: number;
  unit: 'tokens' | 'micro-batches' | 'tensors';
}

export interface CallOptions {
  /** Aborting ends the call at the next chunk or micro-batch; an engine that does not answer within a grace time is killed. */
  signal?: AbortSignal;
  onProgress?: (progress: EngineProgress) => void;
}

/** The caller's side: implemented by host.ts over a child process. */
export interface Engine {
  call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    options?: CallOptions,
  ): Promise<EngineOperations[O][1]>;
  /** Ends the child process; a later call starts another. */
  close(): Promise<void>;
}

/** The engine's child process ended or broke while it was at work; the policy in memory is gone. Worth a retry. */
export class EngineLostError extends Error {
  override readonly name = 'EngineLostError';
}

/** The request cannot be served, now or later (bad model folder, prompt too long, NaN loss, …). Not worth a retry. */
export class EngineRequestError extends Error {
  override readonly name = 'EngineRequestError';
  constructor(
    message: string,
    readonly code:
      | 'bad-model'
      | 'bad-request'
      | 'not-loaded'
      | 'not-finite'
      | 'unsupported'
      | 'out-of-memory'
      /** Disk or file system: full, away, out of handles. Worth a retry. */
      | 'storage'
      | 'internal' = 'bad-request',
  ) {
    super(message);
  }
}
