/**
 * Tasks after RULER (Hsieh et al. 2024, arXiv 2404.06654), generated at any length: retrieval, tracking and aggregation, their
 * texts as long as the prompt may be. Every question is a function of the seed, its task, its place, and its length.
 */
import { z } from 'zod';
import { randomStream } from '../../engine/random.js';
import { ANSWER_SEPARATOR } from '../answer-parts.js';
import type { PromptMeasure } from '../distractors.js';
import { longest } from '../longest.js';
import { conclusion } from '../multihop.js';
import type { Sample } from '../sample.js';
import { common, frequent } from './counts.js';
import { haystack, multikey, multiquery, multivalue, single, variables } from './needles.js';
import type { LongTask } from './task.js';

const TASKS = {
  single,
  multikey,
  haystack,
  multivalue,
  multiquery,
  variables,
  common,
  frequent,
} satisfies Record<string, LongTask>;
type TaskName = keyof typeof TASKS;
const NAMES = Object.keys(TASKS) as TaskName[];

export const rulerOptions = {
  upTo: z
    .union([z.int().positive(), z.array(z.int().positive()).min(1)], {
      error: 'expected a whole number of tokens, 1 or more, or a list of such',
    })
    .meta({ unit: 'tokens', description: 'Length of the whole prompt; of a list, each question at each of them.' }),
  count: z.int().positive().meta({ unit: 'questions', description: 'Questions of each task, at each length.' }),
  tasks: z
    .array(z.enum(NAMES))
    .min(1)
    .default(NAMES)
    .describe(
      '`single`, `multikey`, `multivalue`, `multiquery`: numbers hidden in other sentences; `haystack`: in sentences that are all alike; `variables`: values handed on from name to name; `common`, `frequent`: the words that stand most often.',
    ),
  seed: z.int().min(0).default(0).describe('Which keys, values and places.'),
};

export interface RulerOptions {
  upTo: number | number[];
  count: number;
  tasks: TaskName[];
  seed: number;
}

/** Of a text this long it is read off how long one has to be. */
const PROBE = 32;

/** @param onTooLong told of every question that is longer than asked for whatever is left out */
export function* rulerSamples(
  { upTo, count, tasks, seed }: RulerOptions,
  measure: PromptMeasure,
  onTooLong: () => void,
): Generator<Sample> {
  for (const target of [upTo].flat()) {
    for (const name of tasks) {
      for (let k = 0; k < count; k++) {
        const at = (length: number): Sample => sampleOf(name, seed, k, length, target);
        const length = lengthFor(target, length => measure.promptTokens(at(length)));
        if (length === null) onTooLong();
        else yield at(length);
      }
    }
  }
}

/** The greatest length whose prompt has at most `target` tokens; null where none has. */
function lengthFor(target: number, count: (length: number) => number): number | null {
  const least = count(0);
  if (least > target) return null;
  const each = Math.max((count(PROBE) - least) / PROBE, 0.1);
  let most = Math.ceil((1.25 * (target - least)) / each) + 1;
  while (count(most) <= target) most *= 2;
  return longest(most, target, count);
}

function sampleOf(name: TaskName, seed: number, k: number, length: number, target: number): Sample {
  const random = (purpose: string) => randomStream('ruler', seed, name, k, purpose);
  const { text, question, answers, reasoning } = (TASKS[name] as LongTask).make(length, random);
  const answer = answers.join(ANSWER_SEPARATOR);
  return {
    id: `ruler-${seed}/${name}-${k}/d${target}`,
    question,
    documents: [{ title: null, text }],
    answers: [answer],
    task: 'docqa',
    evidence: [0],
    trace: `${reasoning} ${conclusion(answer)}`,
  };
}
