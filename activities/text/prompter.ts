/** From samples to prompts in a model's tokens: whole, measured, or cut to a limit. */
import type { Document, PromptMeasure, Sample } from '../datasets/index.js';
import { endsInThinking } from '../engine/text/index.js';
import type { RunSpec } from '../spec/index.js';
import { documentsText, renderPrompt } from './prompts.js';
import type { TextModel } from './text-model.js';
import { type FittedPrompt, fitPrompt } from './truncation.js';

/** What prompts need of a model. */
export type PromptModel = Pick<TextModel, 'promptIds' | 'thinkingOpen' | 'documentIds' | 'documentText'>;

/** A fact of how a prompt was rendered; absent where it is not so. */
export interface Rendered {
  /** The prompt ends inside <think>: its response is thinking until `</think>`. */
  thinkingOpen?: true;
}

export interface Prompter extends PromptMeasure {
  /** The sample's prompt, its documents cut in the middle where it has more tokens; null if not even the question fits. */
  prompt(sample: Sample, maxTokens: number): (FittedPrompt & Rendered & { wholeTokens: number }) | null;
}

/**
 * By the template alone, whatever stands in a sample's documents.
 * @returns for any sample what is true of its prompt
 */
export function renderedBy(settings: RunSpec['prompt'], model: Pick<PromptModel, 'thinkingOpen'>) {
  let chat: boolean | null = null;
  return ({ template }: Pick<Sample, 'template'>): Rendered => {
    if (settings.chat) chat ??= model.thinkingOpen(settings);
    const open = settings.chat ? chat : endsInThinking(template ?? settings.template);
    return open ? { thinkingOpen: true } : {};
  };
}

export function createPrompter(settings: RunSpec['prompt'], model: PromptModel): Prompter {
  // What was measured last is asked for next.
  let last: { text: string; ids: number[] } | null = null;
  const promptIds = ({ question, template }: Sample, document: string): number[] => {
    const text = renderPrompt(template ?? settings.template, question, document);
    if (last?.text !== text) last = { text, ids: model.promptIds(text, settings) };
    return last.ids;
  };
  const rendered = renderedBy(settings, model);
  const added = new WeakMap<Document, number>();
  return {
    promptTokens: sample => promptIds(sample, documentsText(sample, settings.numbered)).length,
    documentTokens: document => {
      const known = added.get(document);
      if (known !== undefined) return known;
      const { length } = model.documentIds(`${documentsText({ documents: [document] }, settings.numbered)}\n\n`);
      added.set(document, length);
      return length;
    },
    prompt: (sample, maxTokens) => {
      const ids = (document: string) => promptIds(sample, document);
      const document = documentsText(sample, settings.numbered);
      const wholeTokens = ids(document).length;
      const fitted = fitPrompt(document, maxTokens, ids, model);
      return fitted && { ...fitted, ...rendered(sample), wholeTokens };
    },
  };
}
