/**
 * DocQA-RL-1.6K (QwenLong-L1, arXiv 2505.17667), in the layout of the trainer verl: {data_source, prompt: [{role, content}],
 * reward_model: {ground_truth, style}, extra_info}. Prompts come rendered, "… <text>\n{document}\n</text>\n\n{question}\n\n
 * Format your response as follows: …", and golds as sentences, "… the answer is X" or "The correct answer is (X)".
 */
import { z } from 'zod';
import { scalarText } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError, rowsOf } from './records.js';
import type { Sample, Task } from './sample.js';

/** What the authors' rewards go by: the first that the data source's name contains. */
const TASK_OF: [name: string, task: Task][] = [
  ['long_toc_choices', 'choice'],
  ['docmath', 'docmath'],
  ['multihoprag', 'docqa'],
  ['musique', 'docqa'],
];

const recordSchema = z.object({
  data_source: z.string(),
  prompt: z.preprocess(
    rowsOf,
    z.array(z.object({ role: z.literal('user'), content: z.string() })).length(1, 'expected one message, the user’s'),
  ),
  reward_model: z.object({ ground_truth: scalarText }),
});

/** Samples are named by their place; each keeps the template of its own prompt. */
export const docqaRl: Format<unknown> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw) {
    const record = checked(recordSchema, raw);
    const task = TASK_OF.find(([name]) => record.data_source.includes(name))?.[1];
    if (!task) {
      const names = TASK_OF.map(([name]) => name).join(', ');
      throw new RecordError(raw.where, `field data_source: expected one with ${names}, found '${record.data_source}'`);
    }
    const prompt = unrendered(record.prompt[0]!.content);
    if (typeof prompt === 'string') throw new RecordError(raw.where, `field prompt[0].content: ${prompt}`);
    return [
      {
        id: `docqa-rl-${raw.index}`,
        question: prompt.question,
        documents: [{ title: null, text: prompt.document }],
        answers: [record.reward_model.ground_truth],
        task,
        trace: null,
        evidence: null,
        template: prompt.template,
      } satisfies Sample,
    ];
  },
};

const OPEN = '<text>\n';
const CLOSE = '\n</text>';
const FORMAT = '\n\nFormat your response';

/** The prompt taken apart, or why it cannot be. */
function unrendered(prompt: string): { document: string; question: string; template: string } | string {
  const open = prompt.indexOf(OPEN);
  const close = prompt.lastIndexOf(CLOSE);
  const start = open + OPEN.length;
  if (open < 0 || close < start) return 'expected the document between <text> and </text>, each on a line of its own';
  const after = prompt.slice(close + CLOSE.length);
  const format = after.lastIndexOf(FORMAT);
  const end = format < 0 ? after.trimEnd().length : format;
  const blank = after.length - after.trimStart().length;
  if (end <= blank) return 'expected the question after the document';
  const around = [`${prompt.slice(0, start)}`, `${CLOSE}${after.slice(0, blank)}`, after.slice(end)];
  if (around.some(text => /\{(document|question)\}/.test(text)))
    return 'expected no {document} or {question} around them';
  return {
    document: prompt.slice(start, close),
    question: after.slice(blank, end),
    template: `${around[0]}{document}${around[1]}{question}${around[2]}`,
  };
}
