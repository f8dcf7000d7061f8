/** From samples to prompts in a model's tokens: whole, measured, or cut to a limit. */

import type { Document, PromptMeasure, Sample } from '../datasets/index.js';
import type { RunSpec } from '../spec/index.js';
import { documentsText, renderPrompt } from './prompts.js';
import type { TextModel } from './text-model.js';
import { type FittedPrompt, fitPrompt } from './truncation.js';

/** What prompts need of a model. */
export type PromptModel = Pick<TextModel, 'promptIds' | 'documentIds' | 'documentText'>;

export interface Prompter extends PromptMeasure {
  /** The sample's prompt, its documents cut in the middle where it has more tokens; null if not even the question fits. */
  prompt(sample: Sample, maxTokens: number): (FittedPrompt & { wholeTokens: number }) | null;
}

export function createPrompter(settings: RunSpec['prompt'], model: PromptModel): Prompter {
  // What was measured last is asked for next.
  let last: { text: string; ids: number[] } | null = null;
  const promptIds = ({ question, template }: Sample, document: string): number[] => {
    const text = renderPrompt(template ?? settings.template, question, document);
    if (last?.text !== text) last = { text, ids: model.promptIds(text, settings) };
    return last.ids;
  };
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
      return fitted && { ...fitted, wholeTokens };
    },
  };
}
