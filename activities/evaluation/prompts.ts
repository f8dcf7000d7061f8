/** How each model of an evaluation is asked: rendered, tokenised for a local model, and cut where a document is too long. */
import type { PromptMeasure, Sample } from '../datasets/index.js';
import type { Dependencies } from '../dependencies.js';
import { EngineRequestError } from '../engine/protocol/index.js';
import {
  type EvaluationSpec,
  inputLimit,
  invalidEvaluation,
  type MemorySettings,
  remoteInputLimit,
} from '../spec/index.js';
import type { Supervision } from '../supervision/index.js';
import {
  createPrompter,
  documentsText,
  fitPrompt,
  type Prompter,
  type PromptModel,
  renderedBy,
  renderPrompt,
  type TextModel,
  type TextTokens,
} from '../text/index.js';
import { refusing, textModelFor } from './evaluated-model.js';
import type { Asking } from './items.js';
import { askWithMemory } from './memory-prompts.js';
import type { EvaluatedModel } from './plan.js';

export async function askingOf(
  deps: Dependencies,
  spec: EvaluationSpec,
  model: EvaluatedModel,
  supervision: Supervision,
): Promise<Asking> {
  const { tokenizer } = spec;
  const tokens =
    tokenizer === undefined
      ? null
      : await refusing('tokenizer', () => deps.models.tokens(tokenizer, supervision.call.signal));
  const counter = tokens && createPrompter(spec.prompt, counting(tokens));
  const own = await textModelFor(deps, model, supervision);
  if (spec.memory) return reading(spec, spec.memory, own, tokens, counter);
  return own ? askLocal(spec, own, counter) : askRemote(spec, counter);
}

function reading(
  spec: EvaluationSpec,
  memory: MemorySettings,
  own: TextModel | null,
  tokens: TextTokens | null,
  counter: Prompter | null,
): Asking {
  const chunking = tokens ?? own;
  if (chunking === null) throw needsTokenizer('memory is kept of chunks of so many tokens');
  return askWithMemory(spec, memory, { own, tokens: chunking, measure: counter ?? createPrompter(spec.prompt, own!) });
}

/** Counts the texts of a chat as one: what a template puts around them is not known of other people's models. */
function counting(tokens: TextTokens): PromptModel {
  return {
    ...tokens,
    promptIds: (text, { system }) => tokens.documentIds(`${system ?? ''}${text}`),
    thinkingOpen: () => false,
  };
}

/** The model's own context is a limit beside the one that the other tokenizer counts for. */
function askLocal(spec: EvaluationSpec, model: TextModel, counter: Prompter | null): Asking {
  const own = createPrompter(spec.prompt, model);
  const rendered = renderedBy(spec.prompt, model);
  const limit = inputLimit(counter ? { ...spec, maxInputTokens: undefined } : spec, model.contextLength);
  return {
    measure: counter ?? own,
    byEngine: true,
    prompt: sample => {
      const before = counter && fitted(counter, sample, remoteInputLimit(spec));
      const document = before?.document ?? documentsText(sample, spec.prompt.numbered);
      const ids = (document: string) => explained(() => model.promptIds(textOf(spec, sample, document), spec.prompt));
      const after = fitPrompt(document, limit, ids, model) ?? tooLong(sample, limit);
      const { promptIds, cut } = after;
      const lost = cut ? ids(document).length - promptIds.length : 0;
      return { promptIds, ...rendered(sample), tokens: promptIds.length, cut: lost + (before ? lostIn(before) : 0) };
    },
  };
}

function askRemote(spec: EvaluationSpec, counter: Prompter | null): Asking {
  const limit = remoteInputLimit(spec);
  if (counter) {
    return {
      measure: counter,
      byEngine: false,
      prompt: sample => {
        const found = fitted(counter, sample, limit);
        return { text: textOf(spec, sample, found.document), tokens: found.promptIds.length, cut: lostIn(found) };
      },
    };
  }
  if (spec.maxInputTokens !== undefined) throw needsTokenizer('maxInputTokens is set');
  return {
    measure: UNMEASURED,
    byEngine: false,
    prompt: sample => {
      const text = textOf(spec, sample, documentsText(sample, spec.prompt.numbered));
      // A token is a byte at least: what has no more bytes than the limit surely fits.
      const bytes = Buffer.byteLength(text);
      if (bytes <= limit) return { text, tokens: null, cut: 0 };
      throw needsTokenizer(
        `the item ${JSON.stringify(sample.id)} has ${bytes} bytes, and may have more than ${limit} tokens`,
      );
    },
  };
}

const UNMEASURED: PromptMeasure = {
  promptTokens: () => {
    throw needsTokenizer('a benchmark is lengthened to a number of tokens');
  },
  documentTokens: () => {
    throw needsTokenizer('a benchmark is lengthened to a number of tokens');
  },
};

/** Data that comes with its prompts rendered brings its own template. */
function textOf({ prompt }: EvaluationSpec, { template, question }: Sample, document: string): string {
  return renderPrompt(template ?? prompt.template, question, document);
}

type Fitted = NonNullable<ReturnType<Prompter['prompt']>>;

const fitted = (prompter: Prompter, sample: Sample, limit: number): Fitted =>
  prompter.prompt(sample, limit) ?? tooLong(sample, limit);

const lostIn = ({ cut, wholeTokens, promptIds }: Fitted): number => (cut ? wholeTokens - promptIds.length : 0);

function needsTokenizer(why: string): Error {
  return invalidEvaluation([
    {
      path: 'tokenizer',
      problem: `expected the model (a folder or hf:owner/name) whose tokenizer counts input tokens, since ${why}`,
    },
  ]);
}

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
