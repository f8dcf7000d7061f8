/** How documents beyond a model's context are read: chunk by chunk, into a memory of bounded length. */
import { z } from 'zod';

/** What stands in for an empty memory. */
export const EMPTY_MEMORY = 'Nothing yet.';

/** The prompt by which a memory is written again, after each chunk. */
const UPDATE_PROMPT =
  'You are reading a long text part by part to answer a question at its end. Here are the question, your notes on the ' +
  'parts so far, and the next part. Write your notes anew, since these replace the old ones: keep whatever may help to ' +
  'answer the question, add what this part tells about it, and leave out the rest.\n\n<question>\n{question}\n</question>' +
  '\n\n<notes>\n{memory}\n</notes>\n\n<part>\n{document}\n</part>\n\nYour new notes:';

const FIELDS = ['{question}', '{memory}', '{document}'];

export const memorySchema = z
  .strictObject({
    chunkTokens: z.int().min(16).default(5000).meta({
      unit: 'tokens',
      description:
        'Longest chunk. With the question, the memory and sampling.maxNewTokens it must fit into the model’s context. Default: MemAgent’s.',
    }),
    memoryTokens: z.int().min(16).default(1024).meta({
      unit: 'tokens',
      description: 'Longest memory: one that is written longer loses its middle. Default: MemAgent’s.',
    }),
    maxChunks: z.int().positive().default(1000).meta({
      unit: 'chunks',
      description:
        'Documents of more chunks lose those in the middle: an answer takes at most so many calls, and one for itself.',
    }),
    template: z
      .string()
      .refine(t => FIELDS.every(field => t.includes(field)), `expected a text with ${FIELDS.join(', ')}`)
      .default(UPDATE_PROMPT)
      .meta({
        unlessGiven: 'one of longhaul’s own',
        description:
          'The prompt that has the memory written anew: {question}, {memory} and {document}, the chunk, are filled in. The answer is then asked for by prompt.template, its {document} being the memory.',
      }),
  })
  .describe(
    'Reads documents chunk by chunk into a memory, and answers from it (MemAgent, arXiv 2507.02259; QwenLong-L1.5, arXiv 2512.12967).',
  );

export type MemorySettings = z.output<typeof memorySchema>;
