/**
 * Document questions: the answer is a gold one when both mean the same date, quantity, yes or no, or read the same. Never a
 * part of one in the other: else "the", "not Paris" or a list of guesses would pass for "Paris".
 *
 * What a judge can still grant is refused here: a wrong answer rewarded teaches, a right one unrewarded only waits.
 * - Dates agree in all that they say: "May 1987" is not "May 3, 1987", and 03/05/1987 only itself.
 * - Numbers are exact; a known unit or currency may be left out on one side ("5" for "5 km"), another one not be put in its
 *   place. Scales count ("5 million" is "5,000,000"), and 5 % is not 0.05.
 * - A gold "yes" takes "Yes, they are both …": what is added after a comma must not take it back.
 * - Formulas are the same to the letter, blanks apart.
 * - "United States (US)" is "United States" and "US"; other brackets are part of the name.
 */
import { WITHDRAWS } from '../another-answer.js';
import { normalise } from '../normal-text.js';
import type { Comparison } from '../verdict.js';
import { readDate, shownDate } from './dates.js';
import { readQuantity, sameQuantity, shownQuantity } from './quantities.js';

/** A way to read both; null where one of them cannot be read so. */
type Reading = (answer: string, gold: string) => Comparison | null;

const dates: Reading = (answer, gold) => {
  const [a, b] = [readDate(answer), readDate(gold)];
  if (!a || !b) return null;
  const forms = { answer: shownDate(a), gold: shownDate(b) };
  return { rule: 'dates', ...forms, equal: forms.answer === forms.gold };
};

const quantities: Reading = (answer, gold) => {
  const [a, b] = [readQuantity(answer), readQuantity(gold)];
  if (!a || !b) return null;
  return { rule: 'quantities', answer: shownQuantity(a), gold: shownQuantity(b), equal: sameQuantity(a, b) };
};

/** What takes back a yes or a no. */
const DOUBT =
  /(?<!\p{L})(?:but|however|although|though|except|unless|maybe|perhaps|possibly|partly|or|unclear|unknown|unsure)(?!\p{L})/u;
const DENIAL = /(?<!\p{L})(?:no|not|never|neither|nor|cannot|none|false|untrue)(?!\p{L})|n['’]t(?!\p{L})/u;
const AFFIRMATION = /(?<!\p{L})(?:yes|yeah|indeed|true|(?<!hope (?:it|this|that) is )correct)(?!\p{L})/u;

export const YES_OR_NO = 'yes or no';
const VERDICTS: Readonly<Record<string, 'yes' | 'no'>> = { yes: 'yes', true: 'yes', no: 'no', false: 'no' };

export const isYesOrNo = (text: string): boolean => VERDICTS[normalise(text)] !== undefined;

const yesOrNo: Reading = (answer, gold) => {
  const wanted = VERDICTS[normalise(gold)];
  if (wanted === undefined) return null;
  const [, word, more] =
    /^(yes|no|true|false)(?![\p{L}\p{N}])\s*(?:[,.;:!?(\n–—-](?!\s*\d)\s*(.*))?$/su.exec(answer.trim().toLowerCase()) ??
    [];
  if (word === undefined) return null;
  const said = VERDICTS[word]!;
  const against = said === 'yes' ? DENIAL : AFFIRMATION;
  const clear = more === undefined || ![DOUBT, WITHDRAWS, against].some(pattern => pattern.test(more));
  return {
    rule: YES_OR_NO,
    answer: clear ? said : `${said}, taken back`,
    gold: wanted,
    equal: clear && said === wanted,
  };
};

/** "United States (US)": the name and its initials. */
function namesWithInitials(text: string): string[] {
  const [, name, initials] = /^(.{1,200}?) ?\(([\p{L}.]{2,10})\)$/u.exec(text.trim()) ?? [];
  if (name === undefined || initials === undefined) return [text];
  const words = name.split(/[\s-]+/).filter(word => !/^(?:of|the|and|for|in|on|de)$/i.test(word));
  const first = (all: readonly string[]): string => normalise(all.map(word => [...word][0]).join(''));
  const every = first(name.split(/[\s-]+/));
  const given = normalise(initials);
  return given === first(words) || given === every ? [text, name, initials] : [text];
}

/** Formulas that are no number: √2, x^2 + 1, (a+b)/c. Brackets, letters and signs all count, blanks do not. */
const FORMULA = /^[([{][^()[\]]*,[^()[\]]*[)\]}]$|[√^π∞±≤≥≠∪∩∈\\{}]|[=+*×·÷<>|/-].*[()]|[()].*[=+*×·÷<>|/-]/u;

const formulas: Reading = (answer, gold) => {
  if (gold.length > LONGEST_FORMULA || !FORMULA.test(gold) || /\p{L}{3}/u.test(gold.replaceAll(/\\[a-z]+/gi, '')))
    return null;
  const form = (text: string): string =>
    text
      .replaceAll(/[−–]/g, '-')
      .replaceAll(/√\(([\p{L}\p{N}])\)/gu, '√$1')
      .replaceAll(/(?<=\p{N})×(?=[√π\p{L}])/gu, '')
      .replaceAll(/\s+/g, '');
  const forms = { answer: form(answer), gold: form(gold) };
  return { rule: 'formulas', ...forms, equal: forms.answer === forms.gold };
};
const LONGEST_FORMULA = 200;

const text: Reading = (answer, gold) => {
  const golds = namesWithInitials(gold).map(normalise);
  const forms = namesWithInitials(answer).map(normalise);
  const shared = forms.find(form => form !== '' && golds.includes(form));
  return { rule: 'text', answer: shared ?? forms[0]!, gold: shared ?? golds[0]!, equal: shared !== undefined };
};

const READINGS: readonly Reading[] = [dates, quantities, yesOrNo, formulas, text];

/** The first way in which both can be read decides. */
export function compareAnswers(answer: string, gold: string): Comparison {
  for (const read of READINGS) {
    const comparison = read(answer, gold);
    if (comparison) return comparison;
  }
  throw new Error('the last reading takes any text');
}
