/**
 * Multiple choice: the letter of the last sentence that states one ("The correct answer is (B)", "Answer: b", \boxed{\text{(B)}},
 * "Option B is correct"), or the option whose text it states; or the letter that is all of the response. A sentence that
 * names several letters states none. Letters are those of the question's options; where it lists none, all from A to Z.
 */
import { unwrapped } from '../answer.js';
import { explains, sentenceEnd } from '../explanation.js';
import { plainLatex } from '../latex.js';
import { type ResponseContext, saidIn } from '../said.js';
import { type Comparison, noAnswer, quoted, type Rule } from '../verdict.js';
import { compareAnswers } from './docqa.js';
import { type Option, optionsOf } from './options.js';

const STATEMENT =
  /(?<!\p{L})(?:answer|option|choice)[\s*_]*(?:is|:)|(?<=^|\n)[\s*_#>]{0,20}(?:final|correct) answer[\s*_]*\n|\\(?:boxed|fbox)(?=\s{0,3}\{)/giu;
/** "Option B is correct", "(B) is the correct answer": only to the end of the sentence. */
const PRONOUNCED =
  /(?<![\p{L}\p{N}])(?:(?:option|choice|answer)\s+[([]?([A-Z])[)\]]?|[([]([A-Z])[)\]]|(?<=^|[.!?\n]\s{0,3})([A-Z]))\s+is\s+(?:the\s+)?(?:correct|right)(?:\s+(?:answer|option|choice|one))?[\s*]*(?=[.!]?\s*(?:$|\n)|[.!]\s)/giu;
/** Up to the end of the sentence or of the paragraph. */
const SENTENCE_END = /[.!?](?=\s|$)|\n\s*\n/;
/** What may stand between "is" and the letter, and after it: else "a" would be an article and "Dublin" a D. */
const LETTER =
  /^[\s:*_"'“‘`([{$]*(?:(?:the\s+)?(?:option|choice|answer|letter)\s+)?[\s*_"'“‘`([{$]*([A-Z])(?=$|[.,;:!)\]}*_"'”’`$]|\s+[-–—]|\s+(?:because|since|as)(?!\p{L})|\s*$|\s*\n)/iu;
/** A letter further from its lead than this is none of its; nor does a sentence go on for ever. */
const LEAD_LENGTH = 100;
const SENTENCE_LENGTH = 1000;
/** Statements looked at, from the last. */
const MOST_STATEMENTS = 30;
/** Letters named beside it: in brackets, or upright ones that are no article and no pronoun. */
const NAMED =
  /[([]([A-Za-z])[)\]]|(?<![\p{L}\p{N}'’])([B-HJ-Z])(?![\p{L}\p{N}'’])|(?<![\p{L}\p{N}'’])([AI])(?![\p{L}\p{N}'’]|\s+\p{Ll})/gu;
/** Nothing but a letter. */
const ALONE = /^(?:(?:option|choice)\s+)?[([]?([A-Z])[)\].]*$/i;

/** What a response chose: a letter; null where it states none. */
export function statedLetter(said: string, options: readonly Option[]): string | null {
  const known = options.map(({ letter }) => letter);
  const isLetter = (letter: string) => known.length === 0 || known.includes(letter);
  const alone = ALONE.exec(unwrapped(said))?.[1]?.toUpperCase();
  if (alone !== undefined) return isLetter(alone) ? alone : null;
  const statements = [...said.matchAll(STATEMENT)].map(match => ({
    at: match.index,
    end: match.index + match[0].length,
  }));
  const pronounced = [...said.matchAll(PRONOUNCED)].at(-1);
  for (const { at, end } of statements.slice(-MOST_STATEMENTS).reverse()) {
    if (pronounced && pronounced.index >= at) break;
    const rest = said.slice(end, end + SENTENCE_LENGTH);
    const stop = SENTENCE_END.exec(rest);
    const stands = (chosen: string): string | null =>
      isExplained(stop ? said.slice(end + stop.index + stop[0].length) : '', chosen, options) ? chosen : null;
    const letter = LETTER.exec(plainLatex(rest.slice(0, LEAD_LENGTH)))?.[1]?.toUpperCase();
    const sentence = plainLatex(rest.split(SENTENCE_END, 1)[0]!);
    if (letter === undefined || !isLetter(letter)) {
      const option = optionNamed(sentence, options);
      if (option !== null) return stands(option);
      if (letter === undefined) continue;
    }
    // "(B) London", where London is another option, states none; "(F) B and C" may be one.
    const text = sentence.replace(LETTER, '').replace(/^[\s.,;:)\]}*_"'”’`$–—-]+/, '');
    const named = text === '' ? null : optionNamed(text, options);
    if (named !== null) return named === letter ? stands(letter) : null;
    return namedLetters(sentence, letter, known).length > 0 ? null : stands(letter);
  }
  const letter = (pronounced?.[1] ?? pronounced?.[2] ?? pronounced?.[3])?.toUpperCase();
  if (letter === undefined || !isLetter(letter)) return null;
  const after = said.slice(pronounced!.index + pronounced![0].length).replace(/^[.!*\s]+/, '');
  return isExplained(after, letter, options) ? letter : null;
}

/** "(A) is wrong." */
const DENIED =
  /(?<=^|[.!?\n]\s{0,3})(?:(?:option|choice|answer)\s+)?[([]?([A-Z])[)\]]?\s+is\s+(?:wrong|incorrect|false)(?:[.!](?=\s|$)|\s*$)/giu;

/** Whether what stands after a statement only explains it; the option's text may stand first ("B. Paris"). */
function isExplained(follows: string, letter: string, options: readonly Option[]): boolean {
  const after = follows.trim();
  const own = options.find(option => option.letter === letter);
  const end = sentenceEnd(after, 0);
  const first = after.slice(0, end?.at);
  const text = (own && isText(first, own) ? after.slice(first.length) : after).replaceAll(
    DENIED,
    (denial, denied: string) => (denied.toUpperCase() === letter ? denial : ''),
  );
  if (!/[\p{L}\p{N}]/u.test(text)) return true;
  const known = options.map(option => option.letter);
  return explains(text, `${letter} ${own?.text ?? ''}`) && namedLetters(text, letter, known).length === 0;
}

/** Other letters that a sentence names, those apart that no option has. */
function namedLetters(sentence: string, letter: string, known: readonly string[]): string[] {
  const found = [...sentence.matchAll(NAMED)].map(
    ([, bracketed, upright, first]) => bracketed?.toUpperCase() ?? upright ?? first!,
  );
  return found.filter(other => other !== letter && (known.length === 0 || known.includes(other)));
}

const isText = (text: string, option: Option): boolean => compareAnswers(unwrapped(text), unwrapped(option.text)).equal;

/** The one option whose text this is, with its letter before it or without. */
function optionNamed(text: string, options: readonly Option[]): string | null {
  const found = options.filter(option => isText(text, option));
  return found.length === 1 ? found[0]!.letter : null;
}

/** A gold is a letter, alone or before its text ("B", "(B)", "B. Paris"), a sentence that states one, or an option's text. */
export function goldLetter(gold: string, options: readonly Option[]): string | null {
  return (
    optionNamed(gold, options) ??
    statedLetter(gold, options) ??
    /^\s*[([]?([A-Z])(?:[)\]]|[.:](?!\S)|\s*$)/i.exec(plainLatex(gold))?.[1]?.toUpperCase() ??
    null
  );
}

function compareLetters(answer: string, gold: string, options: readonly Option[]): Comparison {
  const wanted = goldLetter(gold, options);
  return { rule: 'letters', answer, gold: wanted ?? `no letter: ${gold}`, equal: answer === wanted };
}

const LAST_LETTER = (options: readonly Option[]): string => options.at(-1)?.letter ?? 'Z';

export const choice: Rule = (response, golds, context: ResponseContext) => {
  const said = saidIn(response, context);
  if (said === null) return noAnswer('it ends inside <think>');
  const options = optionsOf(context.question ?? '');
  const extracted = statedLetter(said, options);
  if (extracted === null) {
    return noAnswer(`expected "The correct answer is (X)" with one letter A–${LAST_LETTER(options)} at the end`);
  }
  const comparisons = golds.map(gold => compareLetters(extracted, gold, options));
  const right = comparisons.findIndex(({ equal }) => equal);
  if (right < 0) {
    const named = comparisons.map(({ gold }) => `as letters, ${quoted(extracted)} is not ${quoted(gold)}`);
    return { score: 0, extracted, reason: named.join('; ') || 'there is no gold answer', comparisons };
  }
  return {
    score: 1,
    extracted,
    reason: `states ${quoted(extracted)}, which the gold answer ${JSON.stringify(golds[right])} stands for`,
    comparisons: comparisons.slice(0, right + 1),
  };
};
