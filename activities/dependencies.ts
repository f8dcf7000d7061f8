/** What the activities work with. Workers wire the real ones; tests put in what they like. */
import type { OpenedSource, Source } from './datasets/sources.js';
import type { Engine, LoraSettings } from './engine/protocol.js';
import type { Numerics } from './numerics.js';
import type { Environment } from './remote/endpoint.js';
import type { Rewarder } from './rewards/reward.js';
import type { RewardSettings } from './rewards/settings.js';
import type { Store } from './store/index.js';
import type { TextTokens } from './truncation.js';

/** A model as far as text is concerned: its tokenizer, chat template and limits. */
export interface TextModel extends TextTokens {
  /** Longest sequence in tokens. */
  contextLength: number;
  /** A response ends with the first of these. */
  stopIds: number[];
  /**
   * Numbers that such an adapter trains.
   * @throws EngineRequestError for a target that is no linear layer of the model
   */
  adapterParameters(lora: Pick<LoraSettings, 'rank' | 'targetModules'>): number;
  /** The prompt's ids: through the chat template with the generation prompt, or as plain text. */
  promptIds(text: string, options: { chat: boolean; system: string | null }): number[];
  /** Ids of a response as the model should give it, its stop id included. */
  responseIds(text: string, options: { chat: boolean }): number[];
  /** The response's text without special tokens. */
  responseText(ids: readonly number[]): string;
}

export interface Models {
  /**
   * Makes a model named in a spec available here: a folder, or `hf:owner/name[@revision]`, fetched when it is not here.
   * `source` names the very same model again, whatever moves meanwhile.
   */
  resolve(model: string, signal: AbortSignal): Promise<{ directory: string; source: string }>;
  /** Opens a Hugging Face folder for text work. */
  open(folder: string): Promise<TextModel>;
  /** The tokenizer of a model named in a spec, of any architecture; its weights are not fetched. */
  tokens(model: string, signal: AbortSignal): Promise<TextTokens>;
}

export interface Dependencies {
  store: Store;
  models: Models;
  /** A source's samples with a summary of what was read; fetched first where it lies on the Hub. */
  openSource(source: Source, signal: AbortSignal): OpenedSource;
  /** What rewards responses, as a spec says. */
  rewarder(settings: RewardSettings): Rewarder;
  /** Where the keys of endpoints are, by the names that specs give: never in a spec, a message or the store. */
  environment: Environment;
  /** A preset's spec as written. Throws if there is none of that name. */
  readPreset(name: string): Promise<unknown>;
}

/** What policies are loaded and trained with. */
export type PolicyDependencies = Pick<EngineDependencies, 'store' | 'engine' | 'numerics' | 'handOn'>;

/** The activities that need the model itself. */
export interface EngineDependencies extends Dependencies {
  engine: Engine;
  /** What bits it computes, for the log; absent where that was not measured. */
  numerics?: Numerics;
  /**
   * Asked before the engine loads a policy that it does not hold; throws where the activity is to be given to an engine
   * that may hold it. Absent where there is no other.
   */
  handOn?: (wanted: string, held: string | null) => void;
}
