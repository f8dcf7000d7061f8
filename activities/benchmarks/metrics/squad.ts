/** Exact match and token F1 as SQuAD's script has them, which HotpotQA, 2Wiki, MuSiQue, Qasper and LongBench each copied. */
import { PUNCTUATION, splitBlanks } from './python-text.js';

/** \b of Python's re, where letters and digits of all scripts are of a word (marks are not): no word character on that side. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** Lower case, no ASCII punctuation, no articles, single blanks; in this order, so that "U.S.A" is "usa" and "a-b" is "ab". */
export function normalizeAnswer(text: string): string {
  return splitBlanks(text.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ')).join(' ');
}

/** What two answers without any word left are worth, or an answer that HotpotQA takes for a verdict. */
export interface F1Rules {
  /** F1 when either side has no word left: `zero`, or `agreement`: 1 when both have none. */
  empty: 'zero' | 'agreement';
  /** Whether "yes", "no" and "noanswer" score only when they are equal as a whole. */
  verdicts: boolean;
}

const VERDICTS = ['yes', 'no', 'noanswer'];

export function exactMatch(prediction: string, gold: string): number {
  return normalizeAnswer(prediction) === normalizeAnswer(gold) ? 1 : 0;
}

/** The harmonic mean of precision and recall of the words, each counted as often as it stands there. */
export function tokenF1(prediction: string, gold: string, { empty, verdicts }: F1Rules): number {
  const [given, wanted] = [normalizeAnswer(prediction), normalizeAnswer(gold)];
  if (verdicts && given !== wanted && (VERDICTS.includes(given) || VERDICTS.includes(wanted))) return 0;
  const [predicted, golds] = [splitBlanks(given), splitBlanks(wanted)];
  if (empty === 'agreement' && (predicted.length === 0 || golds.length === 0)) return given === wanted ? 1 : 0;
  const same = common(predicted, golds);
  if (same === 0) return 0;
  // In the scripts' order of operations: results agree to the last bit.
  const [precision, recall] = [same / predicted.length, same / golds.length];
  return (2 * precision * recall) / (precision + recall);
}

function common(left: readonly string[], right: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const word of left) counts.set(word, (counts.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of right) {
    const count = counts.get(word) ?? 0;
    if (count > 0) {
      counts.set(word, count - 1);
      same++;
    }
  }
  return same;
}
