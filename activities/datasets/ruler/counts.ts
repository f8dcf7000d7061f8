/** Aggregation: which words stand most often in a list that is all the text there is. */
import { type RandomStream, shuffled } from '../../engine/random.js';
import { type LongTask, type Made, words } from './task.js';

const COMMON = { asked: 10, often: 12, others: 3 };

function listed(counts: readonly (readonly [string, number])[], asked: number, random: RandomStream): Made {
  const list = shuffled(
    counts.flatMap(([word, count]) => Array.from({ length: count }, () => word)),
    random,
  );
  const top = counts.slice(0, asked);
  const answers = top.map(([word]) => word).sort();
  return {
    text: list.join(' '),
    question: `Which ${asked} words stand most often in the text? Answer with them in alphabetical order, separated by commas.`,
    answers,
    reasoning: top.map(([word, count]) => `${word} stands there ${count} times.`).join(' '),
  };
}

/** RULER's common words: some stand there often, all others seldom. */
export const common: LongTask = {
  make(length, random) {
    const { asked, often, others } = COMMON;
    const found = words(asked + Math.ceil(length / others), random('keys'));
    return listed(
      found.map((word, k) => [word, k < asked ? often : others] as const),
      asked,
      random('order'),
    );
  },
};

/** Ranks of RULER's frequent words, and the exponent of Zipf's law. */
const RANKS = 30;
const EXPONENT = 2;
/** Words that a text has at least, so that the third stands there oftener than the fourth. */
const LEAST = 60;
const ASKED = 3;

/** RULER's frequent words: the k-th stands there 1 / k² times as often as the first. */
export const frequent: LongTask = {
  make(length, random) {
    const weights = Array.from({ length: RANKS }, (_, k) => (k + 1) ** -EXPONENT);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const found = words(RANKS, random('keys'));
    const counts = found.map((word, k) => [word, Math.round(((LEAST + length) * weights[k]!) / all)] as const);
    return listed(counts, ASKED, random('order'));
  },
};
