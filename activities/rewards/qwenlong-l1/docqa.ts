/** Document questions as the authors score them in training: either text in the other, however short (docqa.py). */
import { PythonError } from './python-numbers.js';
import { afterLast, contains, split, strip, stripFullStops } from './python-text.js';
import type { AuthorsRule } from './rule.js';

const MARKER = 'the answer is';
const SPECIAL_TOKENS = ['<｜Assistant｜>', '<｜end▁of▁sentence｜>'];

/** Their marker is in lower case and counts where it stands last. */
function parse(text: string): string | null {
  const plain = text.replaceAll('*', '');
  if (!plain.includes(MARKER)) return null;
  const answer = SPECIAL_TOKENS.reduce((rest, token) => rest.replaceAll(token, ''), strip(afterLast(plain, MARKER)));
  return strip(stripFullStops(strip(answer)));
}

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

const normalise = (text: string): string =>
  split(text.toLowerCase().replaceAll(PUNCTUATION, '').replaceAll(ARTICLES, ' ')).join(' ');

export const docqa: AuthorsRule = {
  parse,
  // Their evaluation compares with the data set's answer as it stands; their training knows only sentences.
  plainGold: gold => gold,
  compare(answer, gold) {
    if (gold === null) throw new PythonError('AttributeError', "'NoneType' object has no attribute 'lower'");
    const forms = { answer: normalise(answer), gold: normalise(gold) };
    return {
      rule: 'either is a part of the other',
      ...forms,
      equal: contains(forms.answer, forms.gold) || contains(forms.gold, forms.answer),
    };
  },
  judged: true,
};
