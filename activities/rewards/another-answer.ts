/**
 * Whether words after an answer take it back or may give another one: "This is wrong; it should be 43.", "The value is 43.",
 * "It is London." Who drops them would pass a wrong answer, so that what is in doubt counts as another answer.
 */

/** What takes an answer back. */
export const WITHDRAWS =
  /(?<!\p{L})(?:wrong(?:ly)?|incorrect(?:ly)?|mistaken?(?:ly)?|mistakes|errors?|erroneous|typos?|mis(?:read|counted|calculated|took|stated|understood)|should (?:be|have|read|say)|sorry|apolog\p{L}+|oops|wait|hold on|corrections?|corrected|scratch|strike that|ignore|disregard|retract|withdraw|revis(?:e|ed|ing)|reconsider(?:ed|ing)?|second thoughts?|recalculat\p{L}+|recheck\p{L}*|meant|mean to)(?!\p{L})/iu;
/** A sentence that states an answer once more, whichever it is: "answer is Karim." */
const STATES_ONE = /^\W*(?:(?:therefore|thus|hence|so)\W+)?(?:the\s+)?answer(?:\s+is(?!\p{L})|\s*[:=])/iu;
/** What offers another beside it. */
const OFFERS =
  /(?<!\p{L})(?:or|either|maybe|perhaps|possibly|alternatives?|alternatively|another|other|others|instead|actually|really|rather|also|too|as well|both|but|however|although|though|except|unless|yet|guess(?:es)?|unsure|unclear|uncertain|doubt(?:ful)?|false|untrue|not|never|cannot|if (?:not|so)|(?:could|might|may|would|must|ought to) (?:also )?be|would have been|in fact|better|no(?=,)|(?:correct|right|true|real|actual|proper|exact|best)(?: \p{L}+){1,3} (?:is|are|was|were|would|should|must|will))(?!\p{L})|n['’]t(?!\p{L})/iu;
const OPENS_ANOTHER = /^(?:and|or|but|however|no|nor|not|also|hmm+|otherwise|then)(?!\p{L})/iu;

/** Where a statement rests, and how it was rounded: numbers and names in these are no answers. */
const CITATIONS: readonly RegExp[] = [
  /\[\d{1,6}(?:\s*[,;]\s*\d{1,6})*\]/g,
  /(?<!\p{L})(?:documents?|docs?|paragraphs?|passages?|pages?|tables?|sections?|sources?|figures?|lines?|rows?|columns?|steps?|notes?|chapters?)\s*[([]?#?\d{1,6}(?:(?:\s*,\s*|\s+and\s+|\s*[-–]\s*)\d{1,6}(?!\.?\d|\s*%))*[)\]]?(?![\d.,]?\d|\s*%)/giu,
  /(?<!\p{L})(?:round(?:ed|ing)\s+(?:up |down |off )?)?(?:to|correct to)\s+(?:the nearest \p{L}+|(?:one|two|three|four|\d) (?:decimal|significant)(?: places?| digits?| figures?)?)/giu,
];
/** A calculation before what it comes to. */
const CALCULATION =
  /[\d.,$€£%()\s]*\d[\d.,$€£%()\s]*(?:(?:[-+*/×·÷−]|\\times|\\cdot|(?:times|plus|minus|divided by|multiplied by)(?!\p{L}))[\d.,$€£%()\s]*\d[\d.,$€£%()\s]*)+(?:=|(?:is|equals|makes|gives)(?!\p{L}))/giu;

const ONES =
  'zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen';
const SCALES = '%|percent|hundred|thousand|million|billion|trillion';
const NUMBER = new RegExp(
  `(?<![\\p{L}\\d.,])[-−]?(?:\\d[\\d.,/]*|(?<!\\p{L})(?:${ONES}|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|half|hundred|thousand|million|billion)(?!\\p{L}))(?:\\s*(?:${SCALES})(?!\\p{L}))?`,
  'giu',
);
const numbersIn = (text: string): string[] =>
  [...text.matchAll(NUMBER)].map(([number]) =>
    number
      .toLowerCase()
      .replaceAll(/[\s,]|\.$/g, '')
      .replace('−', '-'),
  );

const COPULA = '(?:is|are|was|were|be|been|being|equals?|equal to|becomes?|became|remains?|=|≈)';
/** What of an answer's grounds may follow "is"; all other words there may be an answer. */
const GROUNDS =
  /^(?:in|on|at|from|by|because|since|due|according|as|per|based|correct|right|clear|consistent|supported|confirmed|stated|given|found|shown|seen|mentioned|described|explained|indicated|reported|noted|listed|derived|computed|calculated|obtained|rounded|taken|quoted|cited|verified|checked|signed|there|here|above|below)(?!\p{L})/u;
/** What may stand as the subject of "is" with a capital. */
const SUBJECT =
  /^(?:I|we|this|that|these|those|it|he|she|they|there|here|what|which|all|documents?|paragraphs?|tables?)$/iu;
const AFTER_COPULA = new RegExp(
  `(?:(?<![\\p{L}\\p{N}])([\\p{L}\\p{N}]+)\\W{1,4})?(?<!\\p{L})${COPULA}(?!\\p{L})(.*)`,
  'su',
);
/** Verbs whose object would be an answer. */
const NAMES =
  /(?<!\p{L})(?:says?|said|states?|stated|shows?|gives?|means?|mentions?|names?|reads?|gets?|got|chose|choose|picks?|selects?|confirms?|supports?|indicates?)\s+(?:that\s+)?(?:the\s+)?["“”'*_$(]*(\p{Lu}[\p{L}\p{N}]*)/gu;
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether one sentence or remark after an answer may take it back or give another. */
export function givesAnother(sentence: string, answer: string): boolean {
  const plain = CITATIONS.reduce((text, pattern) => text.replaceAll(pattern, ' '), sentence).replaceAll(
    CALCULATION,
    ' = ',
  );
  if ([WITHDRAWS, STATES_ONE, OFFERS].some(pattern => pattern.test(plain)) || OPENS_ANOTHER.test(plain.trim()))
    return true;
  const own = new Set(numbersIn(answer));
  if (numbersIn(plain).some(number => !own.has(number))) return true;
  const words = new Set(wordsOf(answer));
  const isOther = (name: string): boolean => name !== 'I' && !words.has(name.toLowerCase());
  if ([...plain.matchAll(NAMES)].some(([, name]) => isOther(name!))) return true;
  return statesAnother(plain, isOther);
}

/** Looks at what stands before and after every "is". */
function statesAnother(sentence: string, isOther: (name: string) => boolean): boolean {
  for (let found = AFTER_COPULA.exec(sentence); found; found = AFTER_COPULA.exec(found[2]!)) {
    const [, subject, rest] = found;
    if (subject && /^\p{Lu}/u.test(subject) && !SUBJECT.test(subject) && isOther(subject)) return true;
    const after = rest!.replace(
      /^(?:[\s"“”'’*_$(\\:,]|(?:(?:clearly|directly|explicitly|indeed|therefore|thus)(?!\p{L})))+/u,
      '',
    );
    const next = /^[\p{L}\p{N}-]+/u.exec(after)?.[0];
    if (next === undefined) {
      if (/[\p{L}\p{N}]/u.test(after)) return true;
      continue;
    }
    if (!isOther(next)) continue;
    if (!GROUNDS.test(after)) return true;
    const names = after.match(/(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{N}]*/gu) ?? [];
    if (names.some(isOther)) return true;
  }
  return false;
}
