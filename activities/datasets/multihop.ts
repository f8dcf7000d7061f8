/** What the multi-hop question sets share: gold paragraphs among distractors, a length dialled by paragraphs kept. */
import { z } from 'zod';
import { randomStream, shuffled } from '../engine/random.js';
import type { Sample } from './sample.js';

/** Options of every source whose questions come with gold and distracting paragraphs. */
export const multihopOptions = {
  /** A count that would repeat a question's sample is left out. */
  paragraphs: z.array(z.int().positive()).min(1).optional().meta({
    unit: 'paragraphs',
    unlessGiven: 'all, in the file’s order',
    description:
      'One sample for each question and count: so many paragraphs kept, gold ones always among them, shuffled. Counts that a question cannot have mean the nearest possible one.',
  }),
  seed: z.int().min(0).default(0).describe('Which paragraphs, and their order.'),
};

export interface MultihopOptions {
  paragraphs?: number[] | undefined;
  seed: number;
}

export interface MultihopQuestion {
  id: string;
  question: string;
  answers: string[];
  paragraphs: { title: string; text: string; gold: boolean }[];
  /** The reasoning before "Therefore, …"; empty when the record names none, which leaves the sample without a trace. */
  reasoning: string;
}

/** The sentence every trace ends in, from which the answer is extracted again. */
export const conclusion = (answer: string): string => `Therefore, the answer is ${answer}.`;

/** The samples of one question, one for each count of paragraphs. */
export function* multihopSamples(question: MultihopQuestion, options: MultihopOptions): Generator<Sample> {
  const sample = (id: string, kept: MultihopQuestion['paragraphs']): Sample => ({
    id,
    question: question.question,
    documents: kept.map(({ title, text }) => ({ title, text })),
    answers: question.answers,
    task: 'docqa',
    evidence: kept.flatMap(({ gold }, k) => (gold ? [k] : [])),
    trace: question.reasoning === '' ? null : `${question.reasoning} ${conclusion(question.answers[0]!)}`,
  });
  if (options.paragraphs === undefined) {
    yield sample(question.id, question.paragraphs);
    return;
  }
  const gold = question.paragraphs.filter(p => p.gold);
  const random = (...purpose: (string | number)[]) => randomStream('paragraphs', options.seed, question.id, ...purpose);
  const distractors = shuffled(
    question.paragraphs.filter(p => !p.gold),
    random('distractors'),
  );
  const given = new Set<number>();
  for (const count of options.paragraphs) {
    const possible = Math.min(Math.max(count, gold.length, 1), question.paragraphs.length);
    if (given.has(possible)) continue;
    given.add(possible);
    const kept = [...gold, ...distractors.slice(0, possible - gold.length)];
    yield sample(`${question.id}/p${count}`, shuffled(kept, random('order', count)));
  }
}
