/**
 * A user's own questions, one JSON object a line, or rows of any other container: {id?, question, documents | context, answers | answer, trace?, task?,
 * evidence?}. `documents` is a list of texts or of {title?, text}; `context` is one text; `evidence` are the places, from 0, of
 * the documents that the answer rests on. Further fields are passed over.
 */
import { z } from 'zod';
import { answerTexts, listOf, scalarText, text, textOf } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError } from './records.js';
import { TASKS } from './sample.js';

const EXPECTED_LIST = { error: 'expected a list (in a table of text: as JSON)' };

const title = z.union([z.string(), z.number().transform(textOf), z.boolean().transform(textOf)]).nullish();

const documentSchema = z.union([text, z.object({ title, text }), z.null()], {
  error: 'expected a text, or {"title", "text"}',
});

const recordSchema = z
  .object({
    id: scalarText.optional(),
    question: text,
    documents: z.preprocess(listOf, z.array(documentSchema, EXPECTED_LIST)).optional(),
    context: text.optional(),
    answers: answerTexts.optional(),
    answer: answerTexts.optional(),
    trace: text.optional(),
    evidence: z.preprocess(listOf, z.array(z.int().min(0), EXPECTED_LIST)).optional(),
    task: z.enum(TASKS).default('docqa'),
  })
  .refine(r => (r.documents === undefined) !== (r.context === undefined), 'expected one of "documents" and "context"')
  .refine(r => (r.answers === undefined) !== (r.answer === undefined), 'expected one of "answers" and "answer"');

/** A trace is trained on as it stands: thinking that lies beside it would be lost, and the model learn not to think. */
const THINKING = ['reasoning_content', 'reasoning', 'thinking'];

/** A record without an id is named by its place. */
export const jsonl: Format<unknown> = {
  fields: Object.keys(recordSchema.shape),
  texts: ['id', 'answer', 'answers'],
  samples(raw) {
    const record = checked(recordSchema, raw);
    const beside = record.trace !== undefined && THINKING.find(name => name in (raw.value as object));
    if (beside) {
      const advice = 'as the model is to write it, e.g. "<think>\\n…\\n</think>\\n\\n…the answer is …"';
      throw new RecordError(raw.where, `field ${beside}: expected the reasoning within "trace", ${advice}`);
    }
    const { documents, evidence } = presentDocuments(record.documents ?? [record.context!], record.evidence, raw.where);
    return [
      {
        id: record.id ?? `record-${raw.index + 1}`,
        question: record.question,
        documents,
        answers: (record.answers ?? record.answer)!,
        task: record.task,
        trace: record.trace ?? null,
        evidence,
      },
    ];
  },
};

/** A null among the documents is none; the places named are those of the list as it is written. */
function presentDocuments(
  written: readonly z.output<typeof documentSchema>[],
  evidence: readonly number[] | undefined,
  where: string,
) {
  const present = written.flatMap((document, place) => (document === null ? [] : [{ document, place }]));
  const places = evidence?.map(place => {
    const found = present.findIndex(one => one.place === place);
    if (found < 0) {
      throw new RecordError(
        where,
        `field evidence: expected places of ${written.length} documents, from 0, found ${place}`,
      );
    }
    return found;
  });
  return {
    documents: present.map(({ document }) =>
      typeof document === 'string'
        ? { title: null, text: document }
        : { title: document.title ?? null, text: document.text },
    ),
    evidence: places ?? null,
  };
}
