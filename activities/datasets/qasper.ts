/**
 * Qasper (Dasigi et al. 2021): one object of papers by id, {title, abstract, full_text: [{section_name, paragraphs}, …], qas:
 * [{question, question_id, answers: [{answer: {unanswerable, extractive_spans, yes_no, free_form_answer, evidence}}, …]}, …]};
 * or a paper with its `id` a record, lists of structs in columns, as the Hub has it.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError, rowsOf } from './records.js';
import type { Sample } from './sample.js';

const answerSchema = z.object({
  unanswerable: z.boolean(),
  extractive_spans: z.array(z.string()).nullish(),
  yes_no: z.boolean().nullish(),
  free_form_answer: z.string().nullish(),
  evidence: z.array(z.string()).nullish(),
});
type Answer = z.output<typeof answerSchema>;

/** On the Hub an answer's annotations are columns around the answers themselves. */
const annotations = z.preprocess(rowsOf, z.array(z.object({ answer: answerSchema })).min(1));

const paperSchema = z.object({
  id: scalarText.optional(),
  title: z.string(),
  abstract: z.string(),
  full_text: z.preprocess(
    rowsOf,
    z.array(z.object({ section_name: z.string().nullish(), paragraphs: z.array(z.string()) })),
  ),
  qas: z.preprocess(rowsOf, z.array(z.object({ question: text, question_id: scalarText, answers: annotations }))),
});

/**
 * A paper's abstract, under its title, is the first document; each section with text another. Answers are each annotator's,
 * as the official evaluator forms them; evidence is where any of them found theirs, figures and tables apart.
 */
export const qasper: Format<unknown> = {
  fields: Object.keys(paperSchema.shape),
  samples(raw) {
    const paper = checked(paperSchema, raw);
    const sections = [
      { title: paper.title, paragraphs: [paper.abstract] },
      ...paper.full_text.map(({ section_name, paragraphs }) => ({ title: section_name ?? null, paragraphs })),
    ].filter(({ paragraphs }) => paragraphs.some(text => text !== ''));
    const documents = sections.map(({ title, paragraphs }) => ({
      title,
      text: paragraphs.filter(text => text !== '').join('\n\n'),
    }));
    return paper.qas.map((qa, k): Sample => {
      const given = qa.answers.map(({ answer }) => answer);
      const answers = given.map(answer => {
        const text = answerText(answer);
        if (text === null) throw new RecordError(raw.where, `field qas[${k}].answers: an annotation without an answer`);
        return text;
      });
      return {
        id: qa.question_id,
        question: qa.question,
        documents,
        answers: [...new Set(answers)],
        task: 'docqa',
        trace: null,
        evidence: evidenceOf(given, sections),
      };
    });
  },
};

function answerText({ unanswerable, extractive_spans, free_form_answer, yes_no }: Answer): string | null {
  if (unanswerable) return 'Unanswerable';
  if (extractive_spans?.length) return extractive_spans.join(', ');
  if (free_form_answer) return free_form_answer;
  return yes_no === null || yes_no === undefined ? null : yes_no ? 'Yes' : 'No';
}

/** null where there is evidence and none of it is in the text. */
function evidenceOf(answers: Answer[], sections: { paragraphs: string[] }[]): number[] | null {
  const named = new Set(answers.flatMap(({ unanswerable, evidence }) => (unanswerable ? [] : (evidence ?? []))));
  const found = sections.flatMap(({ paragraphs }, k) => (paragraphs.some(text => named.has(text)) ? [k] : []));
  return found.length === 0 && named.size > 0 ? null : found;
}
