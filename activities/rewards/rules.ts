/** Rule rewards: whether a response's answer is a gold one, with the reason. One rule a task, in one table a scorer. */
import type { Task } from '../datasets/sample.js';
import { answerPhrase, normalise } from './answer.js';

export const SCORERS = ['hardened'] as const;
export type Scorer = (typeof SCORERS)[number];

export interface Verdict {
  score: 0 | 1;
  /** The answer as found in the response; null when none was. */
  extracted: string | null;
  /** Why, for people. */
  reason: string;
}

/** Golds may themselves read "… the answer is X". */
export type Rule = (response: string, golds: readonly string[]) => Verdict;

/** What a hardened rule is made of: the golds go through the same extraction as the response. */
interface Comparison {
  extract(text: string): string | null;
  /** Why the answer is this gold; null when it is not. */
  matches(answer: string, gold: string): string | null;
}

const equals = (gold: string): string => `equals the gold answer ${JSON.stringify(gold)}`;

const docqa: Comparison = {
  extract: answerPhrase,
  // Equality, never a part of one in the other: else "the", "not Paris" or a list of guesses would pass for "Paris".
  matches: (answer, gold) => {
    const normal = normalise(answer);
    return normal !== '' && normal === normalise(gold) ? equals(gold) : null;
  },
};

/** Relative tolerance of numbers (the authors' code: 0.15 %). */
const TOLERANCE = 0.0015;

const docmath: Comparison = {
  extract: answerPhrase,
  matches: (answer, gold) => {
    const [given, wanted] = [Number(normalise(answer)), Number(normalise(gold))];
    return Math.abs(given - wanted) <= TOLERANCE * Math.abs(wanted) ? equals(gold) : null;
  },
};

const choice: Comparison = {
  extract: text => /.*\bthe correct answer is \(?([A-D])\b/is.exec(text)?.[1]?.toUpperCase() ?? null,
  matches: (answer, gold) => (answer === gold.trim().toUpperCase() ? equals(gold) : null),
};

const compared =
  ({ extract, matches }: Comparison): Rule =>
  (response, golds) => {
    const extracted = extract(response);
    if (extracted === null)
      return { score: 0, extracted, reason: 'no answer found: expected "the answer is …" at the end' };
    for (const gold of golds) {
      const reason = matches(extracted, extract(gold) ?? gold);
      if (reason !== null) return { score: 1, extracted, reason };
    }
    return { score: 0, extracted, reason: `equals none of the gold answers ${JSON.stringify(golds)}` };
  };

const RULES: Record<Scorer, Record<Task, Rule>> = {
  hardened: { docqa: compared(docqa), docmath: compared(docmath), choice: compared(choice) },
};

/** 1 when the response's answer is one of the golds; nothing found is 0. */
export function scoreRule(scorer: Scorer, task: Task, response: string, golds: readonly string[]): Verdict {
  return RULES[scorer][task](response, golds);
}
