/** How items become prompts where documents are read chunk by chunk: cut into chunks, and refused where one would not fit. */
import type { PromptMeasure, Sample } from '../datasets/index.js';
import { type EvaluationSpec, invalidEvaluation, type MemorySettings } from '../spec/index.js';
import { chunksOf, documentsText, renderedBy, type TextModel, type TextTokens } from '../text/index.js';
import type { Asking } from './items.js';
import { textOfCall } from './memory.js';

export interface MemoryReaders {
  /** The local model; null of a remote one, whose context nobody knows. */
  own: TextModel | null;
  /** In whose tokens chunks are counted. */
  tokens: TextTokens;
  measure: PromptMeasure;
}

/** @throws InvalidSpecError where the context does not hold question, memory, chunk and answer */
export function askWithMemory(
  spec: EvaluationSpec,
  memory: MemorySettings,
  { own, tokens, measure }: MemoryReaders,
): Asking {
  const rendered = own && renderedBy(spec.prompt, own);
  const count = (text: string): number => tokens.documentIds(text).length;
  return {
    measure,
    byEngine: own !== null,
    prompt: async sample => {
      const all = await chunksOf(documentsText(sample, spec.prompt.numbered), memory.chunkTokens, tokens);
      const chunks = withoutMiddle(all, memory.maxChunks);
      const template = sample.template ?? spec.prompt.template;
      if (own) refuseTooLong(spec, memory, own, sample, { question: sample.question, template, chunks });
      const lengths = [all, chunks].map(list => list.reduce((sum, chunk) => sum + count(chunk), 0));
      const [whole, read] = lengths as [number, number];
      return {
        memory: { question: sample.question, template, chunks },
        ...rendered?.(sample),
        tokens: read,
        cut: whole - read,
      };
    },
  };
}

/** The first half of `most` and the last, the odd one at the beginning. */
function withoutMiddle(chunks: string[], most: number): string[] {
  if (chunks.length <= most) return chunks;
  const tail = Math.floor(most / 2);
  return [...chunks.slice(0, most - tail), ...chunks.slice(chunks.length - tail)];
}

function refuseTooLong(
  spec: EvaluationSpec,
  memory: MemorySettings,
  model: TextModel,
  { id }: Sample,
  prompt: { question: string; template: string; chunks: string[] },
): void {
  const { contextLength } = model;
  const { maxNewTokens } = spec.sampling;
  const length = (chunks: string[]): number =>
    model.promptIds(textOfCall(memory, { ...prompt, chunks }, 0, ''), spec.prompt).length;
  const around = Math.max(length(['']), length([]));
  // Chunks may have been cut in another model's tokens.
  const longest = prompt.chunks.reduce((most, chunk) => Math.max(most, model.documentIds(chunk).length), 0);
  const chunk = Math.max(memory.chunkTokens, longest);
  const room = contextLength - maxNewTokens - around - memory.memoryTokens;
  if (chunk <= room) return;
  const path =
    room >= 16
      ? 'memory.chunkTokens'
      : maxNewTokens < contextLength / 2
        ? 'memory.memoryTokens'
        : 'sampling.maxNewTokens';
  throw invalidEvaluation([
    {
      path,
      problem:
        `expected a chunk (${chunk} tokens), the memory (${memory.memoryTokens}), the question of the item ${JSON.stringify(id)} with what stands around it (${around}) ` +
        `and sampling.maxNewTokens (${maxNewTokens}) to fit into the model's context of ${contextLength} tokens` +
        (room >= 16 ? `; chunks of at most ${room - (chunk - memory.chunkTokens)} do` : ''),
    },
  ]);
}
