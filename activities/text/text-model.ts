/** A model as text work sees it. */
import type { LoraSettings } from '../engine/protocol/index.js';
import type { TemplateSettings } from '../engine/text/index.js';
import type { TextTokens } from './truncation.js';

/** How a text becomes a prompt: in the chat template with what a spec gives it, or plain. */
export interface PromptOptions extends TemplateSettings {
  chat: boolean;
  system: string | null;
}

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
  promptIds(text: string, options: PromptOptions): number[];
  /** Whether such a chat's prompt ends inside <think>, since the template opens it. */
  thinkingOpen(options: Pick<PromptOptions, 'system' | 'variables' | 'date'>): boolean;
  /** Ids of a response as the model should give it, its stop id included. */
  responseIds(text: string, options: { chat: boolean }): number[];
  /** What is worth knowing of its tokenizer, for people. */
  remark?: string | null;
  /** The response's text without special tokens. */
  responseText(ids: readonly number[]): string;
}

export interface Models {
  /**
   * Makes a model named in a spec available here: a folder, or `hf:owner/name[@revision]`, fetched when it is not here.
   * `source` names the very same model again, whatever moves meanwhile.
   * @param what its weights are fetched unless told otherwise
   */
  resolve(
    model: string,
    signal: AbortSignal,
    what?: { weights: boolean },
  ): Promise<{ directory: string; source: string }>;
  /** Opens a Hugging Face folder for text work. */
  open(folder: string): Promise<TextModel>;
  /** The tokenizer of a model named in a spec, of any architecture; its weights are not fetched. */
  tokens(model: string, signal: AbortSignal): Promise<TextTokens>;
}
