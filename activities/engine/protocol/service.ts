/** What a training service of others is asked before anything is spent on it. */
import type { CallOptions } from './engine.js';
import type { GenerateRequest, GenerateResult } from './requests.js';
import type { LoraSettings, LossSettings, OptimizerSettings, SamplingSettings } from './settings.js';

/** What a run needs of the service. */
export interface ServiceNeeds {
  /** As the service calls it. */
  model: string;
  /** The adapter that is trained; null: all weights are. */
  adapter: LoraSettings | null;
  /** Tokens of the longest prompt and response together. */
  contextLength: number;
  /** Every one that the run trains with. */
  losses: LossSettings[];
  optimizers: OptimizerSettings[];
  /** Every one that it samples with, evaluations among them. */
  samplings: SamplingSettings[];
  /** Whether a policy is sampled from while the next one is made of it; absent where none is. */
  overlap?: true;
}

export interface ServiceReport {
  /** What it lacks, need by need; none where the run can begin. */
  lacks: { need: keyof ServiceNeeds; problem: string }[];
  /** What was found out of the service by trying it, for people: "SkyRL, gradients averaged over sequences, no clipping". */
  found: string;
  /**
   * How far equal steps came apart when they were made twice, relative: what is promised of a step made again, in the
   * stead of equal bits.
   */
  tolerance: number;
}

export interface ServedModel {
  /** As requests call it. */
  name: string;
  /** Tokens of the longest sequence; null where the service does not say. */
  contextLength: number | null;
}

/** Samples from a policy that is kept for it, beside whatever operation the engine is at. */
export interface Sampler {
  /** @throws EngineLostError where it is no longer kept */
  generate(request: GenerateRequest, options?: CallOptions): Promise<GenerateResult>;
}

/** An engine's other side, where it is a service: the worker asks at its start and before each run. */
export interface TrainingService {
  /** What it serves. @throws what `examine` throws */
  serves(options?: CallOptions): Promise<ServedModel[]>;
  /**
   * Asks the service what it serves and, where it serves the model, tries it with a few small steps on models of their own.
   * @throws EngineRequestError for a key that is refused or a protocol that is not known; EngineLostError where it is away
   */
  examine(needs: ServiceNeeds, options?: CallOptions): Promise<ServiceReport>;
  /**
   * Keeps the policy that the engine holds to be sampled from, until another is kept or loaded.
   * @param tags by which the engine may have it
   * @returns null where it neither holds nor has kept it
   */
  sampler(tags: readonly string[], options?: CallOptions): Promise<Sampler | null>;
  /** Lets go, as far as it goes, of what the service keeps for a saved folder that is about to be removed. */
  discard(directory: string, options?: CallOptions): Promise<void>;
}
