/**
 * HotpotQA, distractor setting (Yang et al. 2018), and 2WikiMultihopQA (Ho et al. 2020), which took over its layout: an
 * array of {_id, question, answer, context: [[title, [sentence, …]], …], supporting_facts: [[title, sentence index], …]}.
 */
import { z } from 'zod';
import { inRange, type MultihopOptions, multihopSamples } from './multihop.js';
import { checked, readJsonRecords } from './records.js';
import type { Sample } from './sample.js';

const recordSchema = z.object({
  _id: z.string().min(1),
  question: z.string().min(1),
  answer: z.string().min(1),
  context: z.array(z.tuple([z.string(), z.array(z.string())])).min(1),
  supporting_facts: z.array(z.tuple([z.string(), z.int().min(0)])),
});

/** Traces are the supporting sentences in the order the record names them. Throws DataError on a malformed record. */
export async function* readHotpotqa(source: MultihopOptions & { path: string }): AsyncGenerator<Sample> {
  for await (const raw of readJsonRecords(source.path)) {
    if (source.to !== undefined && raw.index >= source.to) return;
    if (!inRange(raw.index, source)) continue;
    const record = checked(recordSchema, raw);
    const gold = new Set(record.supporting_facts.map(([title]) => title));
    const sentences = new Map(record.context);
    yield* multihopSamples(
      {
        id: record._id,
        question: record.question,
        answers: [record.answer],
        paragraphs: record.context.map(([title, text]) => ({
          title,
          text: text.map(sentence => sentence.trim()).join(' '),
          gold: gold.has(title),
        })),
        // A few official records name sentences their context does not have: what is there makes the trace.
        reasoning: record.supporting_facts
          .map(([title, index]) => sentences.get(title)?.[index]?.trim() ?? '')
          .filter(sentence => sentence !== '')
          .join(' '),
      },
      source,
    );
  }
}
