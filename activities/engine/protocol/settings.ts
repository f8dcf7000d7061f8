/** How an engine trains, samples and adapts. */

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
  /**
   * `task`: rewards are divided by the deviation of their task's rewards in the batch (QwenLong-L1.5, arXiv 2512.12967),
   * which each group bears. Absent: by what the algorithm divides by.
   */
  advantageScale?: 'task';
  /**
   * The truncation that the rollouts were sampled under: log-probabilities, the sampler's too, are then of the tokens that
   * it keeps. Absent: of all tokens.
   */
  truncation?: TruncationSettings;
  /** Responses of negative advantage teach nothing (AEPO, arXiv 2512.12967). Absent: they do. */
  maskNegative?: true;
}

/** Which tokens sampling keeps. */
export interface TruncationSettings {
  /** 1 keeps every token. */
  topP: number;
  /** 0 keeps every token. */
  topK: number;
}

export interface SamplingSettings extends TruncationSettings {
  /** 0 is greedy; log-probabilities are then those at temperature 1. */
  temperature: number;
  maxNewTokens: number;
  /** A response ends with (and includes) the first of these ids. */
  stopIds: number[];
  /** Log-probabilities are given among the tokens kept. Absent: among all. */
  truncatedLogprobs?: true;
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
