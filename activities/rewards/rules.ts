/** Rule rewards: whether a response's answer is a gold one, with the reason. One rule a task, in one table. */
import type { Task } from '../datasets/sample.js';
import { answerPhrase, normalise } from './answer.js';

export interface Verdict {
  score: 0 | 1;
  /** The answer as found in the response; null when none was. */
  extracted: string | null;
  /** Why, for people. */
  reason: string;
}

interface Rule {
  extract(text: string): string | null;
  /** Why the answer is this gold; null when it is not. */
  matches(answer: string, gold: string): string | null;
}

const RULES: Record<Task, Rule> = {
  docqa: {
    extract: answerPhrase,
    // Equality, never a part of one in the other: else "the", "not Paris" or a list of guesses would pass for "Paris".
    matches: (answer, gold) => {
      const normal = normalise(answer);
      return normal !== '' && normal === normalise(gold) ? `equals the gold answer ${JSON.stringify(gold)}` : null;
    },
  },
};

/** The answer the task's rule finds in a response, as written there; null when it finds none. */
export function extractAnswer(task: Task, response: string): string | null {
  return RULES[task].extract(response);
}

/** 1 when the response's answer is one of the golds, which may themselves read "… the answer is X"; nothing found is 0. */
export function scoreRule(task: Task, response: string, golds: readonly string[]): Verdict {
  const rule = RULES[task];
  const extracted = rule.extract(response);
  if (extracted === null)
    return { score: 0, extracted, reason: 'no answer found: expected "the answer is …" at the end' };
  for (const gold of golds) {
    const reason = rule.matches(extracted, rule.extract(gold) ?? gold);
    if (reason !== null) return { score: 1, extracted, reason };
  }
  return { score: 0, extracted, reason: `equals none of the gold answers ${JSON.stringify(golds)}` };
}
