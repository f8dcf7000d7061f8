/** How each model of an evaluation is asked: rendered, tokenised for a local model, and cut where a document is too long. */

import type { Sample } from './datasets/sources.js';
import type { Dependencies, TextModel } from './dependencies.js';
import { EngineRequestError } from './engine/protocol.js';
import { refusing, textModelFor } from './evaluated-model.js';
import type { Prompter } from './evaluation-items.js';
import type { EvaluatedModel } from './evaluation-plan.js';
import { type EvaluationSpec, inputLimit, invalidEvaluation, remoteInputLimit } from './evaluation-spec.js';
import { documentsText, renderPrompt } from './prompts.js';
import type { Supervision } from './supervision.js';
import { fitPrompt, type TextTokens } from './truncation.js';

export async function prompterFor(
  deps: Dependencies,
  spec: EvaluationSpec,
  model: EvaluatedModel,
  supervision: Supervision,
): Promise<Prompter> {
  const { tokenizer } = spec;
  const counter =
    tokenizer === undefined
      ? null
      : await refusing('tokenizer', () => deps.models.tokens(tokenizer, supervision.call.signal));
  const own = await textModelFor(deps, model, supervision);
  return own ? localPrompter(spec, own, counter) : remotePrompter(spec, counter);
}

/** The model's own context is a limit beside the one that the other tokenizer counts for. */
function localPrompter(spec: EvaluationSpec, model: TextModel, counter: TextTokens | null): Prompter {
  const limit = inputLimit(counter ? { ...spec, maxInputTokens: undefined } : spec, model.contextLength);
  return sample => {
    const cutBefore = counter && cutText(spec, sample, remoteInputLimit(spec), counter);
    const ids = (document: string) =>
      explained(() => model.promptIds(renderPrompt(spec.prompt.template, sample.question, document), spec.prompt));
    const document = cutBefore?.document ?? documentsText(sample, spec.prompt.numbered);
    const fitted = fitPrompt(document, limit, ids, model) ?? tooLong(sample, limit);
    const { promptIds } = fitted;
    return {
      promptIds,
      tokens: promptIds.length,
      cut: (cutBefore?.cut ?? 0) + (fitted.cut ? lost(document, fitted.document, model) : 0),
    };
  };
}

function remotePrompter(spec: EvaluationSpec, counter: TextTokens | null): Prompter {
  const limit = remoteInputLimit(spec);
  const text = (sample: Sample, document: string) => renderPrompt(spec.prompt.template, sample.question, document);
  if (counter) {
    return sample => {
      const { document, cut, tokens } = cutText(spec, sample, limit, counter);
      return { text: text(sample, document), tokens, cut };
    };
  }
  if (spec.maxInputTokens !== undefined) throw needsTokenizer('maxInputTokens is set');
  return sample => {
    const whole = text(sample, documentsText(sample, spec.prompt.numbered));
    // A token is a byte at least: what has no more bytes than the limit surely fits.
    const bytes = Buffer.byteLength(whole);
    if (bytes <= limit) return { text: whole, tokens: null, cut: 0 };
    throw needsTokenizer(
      `the item ${JSON.stringify(sample.id)} has ${bytes} bytes, and may have more than ${limit} tokens`,
    );
  };
}

function needsTokenizer(why: string): Error {
  return invalidEvaluation([
    {
      path: 'tokenizer',
      problem: `expected the model (a folder or hf:owner/name) whose tokenizer counts input tokens, since ${why}`,
    },
  ]);
}

/** A sample's document with the prompt around it within `limit` of the counter's tokens. */
function cutText(spec: EvaluationSpec, sample: Sample, limit: number, counter: TextTokens) {
  const { template, system } = spec.prompt;
  const whole = documentsText(sample, spec.prompt.numbered);
  const ids = (document: string) =>
    counter.documentIds(`${system ?? ''}${renderPrompt(template, sample.question, document)}`);
  const { document, promptIds, cut } = fitPrompt(whole, limit, ids, counter) ?? tooLong(sample, limit);
  return { document, tokens: promptIds.length, cut: cut ? lost(whole, document, counter) : 0 };
}

const lost = (whole: string, kept: string, { documentIds }: TextTokens) =>
  documentIds(whole).length - documentIds(kept).length;

function tooLong({ id }: Sample, limit: number): never {
  throw invalidEvaluation([
    {
      path: 'maxInputTokens',
      problem: `expected room for every question: that of the item ${JSON.stringify(id)} takes more than ${limit} tokens without any document`,
    },
  ]);
}

/** A folder without a chat template, or one that refuses the messages. */
function explained<T>(render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    throw invalidEvaluation([{ path: 'prompt', problem: error.message }]);
  }
}
