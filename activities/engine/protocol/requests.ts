/** What an engine is asked, and what it answers: token ids, numbers and folders. */
import type {
  FreshAdapter,
  LossSettings,
  OptimizerSettings,
  SamplingSettings,
  TruncationSettings,
} from './settings.js';

export interface LoadRequest {
  /** A Hugging Face folder. */
  directory: string;
  /**
   * What a training service calls the model, where the folder does not say so itself: its weights are the service's. The
   * folder that `save` then writes says it from there on.
   */
  served?: string;
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
  /** Longest sequence in tokens. */
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
  /** Natural log of the probability at the sampling temperature over the whole vocabulary (before top-p and top-k), unless it was asked for among the tokens kept. */
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
  /** Log-probabilities and entropies are among the tokens that this keeps. Absent: among all. */
  truncation?: TruncationSettings;
  /** Asks for the entropies too. */
  entropies?: boolean;
}

export interface ScoreResult {
  /** By group and response one value a token of the response, natural log. */
  logprobs: number[][][];
  /**
   * Likewise the entropy, in nats, of the distribution that the log-probability is of: over the whole vocabulary, or under
   * truncation over the tokens kept. Where it was asked for; absent of a training service, which tells no distributions.
   */
  entropies?: number[][][];
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
  /**
   * Mean entropy in nats over response tokens, under truncation among the tokens kept. Of a training service, which tells
   * no distributions: the mean negative log-probability of the tokens, which for those that the policy sampled is its
   * estimate.
   */
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
  /** With LossSettings.advantageScale, and only with it: what the rewards' differences from their mean are divided by. */
  deviation?: number;
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
  /** Holds the weights: model.safetensors or adapter_model.safetensors; or names those that a training service keeps. */
  file: string;
  /** Of that file; hex. */
  sha256: string;
  bytes: number;
  /** Of optimizer.safetensors; null where none was written. */
  optimizerSha256: string | null;
}
