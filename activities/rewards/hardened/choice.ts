/**
 * Multiple choice: the letter A–D of the last sentence that states one ("The correct answer is (B)", "the answer is B",
 * "Answer: B", \boxed{B}). A sentence that names several letters states none.
 */
import { afterThinking } from '../answer.js';
import type { Comparison } from '../verdict.js';

const STATEMENT = /(?<!\p{L})(?:answer|option|choice)\s*(?:is|:)|\\boxed(?=\{)/giu;
/** Up to the end of the sentence or of the paragraph. */
const SENTENCE_END = /[.!?](?=\s|$)|\n\s*\n/;
/** What may stand between "is" and the letter, and after it: else "a" would be an article and "Dublin" a D. */
const LETTER =
  /^[\s:*_"'“‘`$\\({[]*(?:(?:text|textbf|mathrm|mathbf|boxed)\{[\s({[*]*)?(?:(?:option|choice|answer)\s+)?[\s*_"'“‘`({[]*([A-D])(?=$|[.,;:!)\]}*_"'”’`$\\]|\s+(?:because|since|as)(?!\p{L})|\s*$|\s*\n)/iu;
/** A letter further from its lead than this is none of its. */
const LEAD_LENGTH = 100;
/** Letters named beside it: in brackets, or upright ones that are no article. */
const NAMED =
  /\(([A-Da-d])\)|(?<![\p{L}\p{N}'’])([B-D])(?![\p{L}\p{N}'’])|(?<![\p{L}\p{N}'’])(A)(?![\p{L}\p{N}'’]|\s+\p{Ll})/gu;

export function statedLetter(text: string): string | null {
  const said = afterThinking(text);
  if (said === null) return null;
  for (const { index, 0: lead } of [...said.matchAll(STATEMENT)].reverse()) {
    const rest = said.slice(index + lead.length);
    const letter = LETTER.exec(rest.slice(0, LEAD_LENGTH))?.[1]?.toUpperCase();
    if (letter === undefined) continue;
    return namedLetters(rest.split(SENTENCE_END, 1)[0]!).every(other => other === letter) ? letter : null;
  }
  return null;
}

function namedLetters(sentence: string): string[] {
  return [...sentence.matchAll(NAMED)]
    .map(([, bracketed, upright, first]) => bracketed?.toUpperCase() ?? upright ?? first!)
    .filter(letter => /^[A-D]$/.test(letter));
}

/** A gold is a letter, alone or before its text: "B", "(B)", "B. Paris". */
const goldLetter = (gold: string): string | null =>
  /^\s*\(?([A-D])(?:\)|[.:]|\s*$)/i.exec(gold)?.[1]?.toUpperCase() ?? null;

export function compareLetters(answer: string, gold: string): Comparison {
  const wanted = goldLetter(gold);
  return { rule: 'letters', answer, gold: wanted ?? `no letter A–D: ${gold}`, equal: answer === wanted };
}
