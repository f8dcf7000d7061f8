/** What a rule says of a response, and what it compared to say so. */
import type { ResponseContext } from './said.js';

export interface Verdict {
  score: 0 | 1;
  /** The answer as found in the response; null when none was. */
  extracted: string | null;
  /** Why, for people. */
  reason: string;
}

/** One gold answer held against the response's. */
export interface Comparison {
  /** What both were read as: text, a date, a quantity, … */
  rule: string;
  /** The normal form of the response's answer. */
  answer: string;
  /** The normal form of the gold answer. */
  gold: string;
  equal: boolean;
}

/** A verdict with the comparisons it rests on: up to the first that holds. */
export interface Explanation extends Verdict {
  comparisons: Comparison[];
}

/** Golds may themselves read "… the answer is X". */
export type Rule = (response: string, golds: readonly string[], context: ResponseContext) => Explanation;

/** No answer was found, and why. */
export const noAnswer = (why: string): Explanation => ({
  score: 0,
  extracted: null,
  reason: `no answer found: ${why}`,
  comparisons: [],
});

/** A text as a message quotes it: on one line, and not longer than a person reads. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return `'${line.length > 80 ? `${line.slice(0, 79)}…` : line}'`;
}
