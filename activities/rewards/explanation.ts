/**
 * Where an answer ends and what is said about it begins: "42. I hope it is correct.", "Paris, as stated in document 2",
 * "12.5% (rounded to one decimal)". What names another answer, or takes this one back, is no explanation of it, and then
 * nothing is cut off: a list of guesses stays a list.
 */
import { givesAnother } from './another-answer.js';

/** What makes words a sentence, and not one more name. */
const SAYS =
  /(?<!\p{L})(?:is|are|was|were|be|been|has|have|had|do|does|did|can|will|would|should|must|follows?|states?|stated|says?|said|shows?|shown|see|means?|mentions?|mentioned|found|given|gives?|because|since|hope|let|thanks?|rounded|calculated|computed|obtained|derived|comes?|came|supports?|confirms?|confirmed|indicates?|describes?|explains?|refers?|divid(?:e|ed|ing)|multipl(?:y|ied|ying)|subtract(?:ed|ing)?|add(?:ed|ing)?|us(?:e|ed|ing)|checked|according|based)(?!\p{L})/iu;
/** How a remark begins that may lack its end; any other needs a full stop. */
const OPENS_REMARK =
  /^(?:I|we|this|that|these|those|it|its|he|she|they|the|there|here|see|as|because|since|by|according|based|thus|therefore|hence|so|hope|let|note|in|from|if|you|thank|thanks)(?!\p{L})/iu;
/** After such a heading comes no answer. */
const HEADING =
  /^[\s*_#>-]*(?:explanation|evidence|reason(?:ing)?|rationale|sources?|references?|justification|citations?|note|steps?|calculations?|confidence)[\s*_]*[:\n]/iu;

/** So many sentences are looked at. */
const MOST_SENTENCES = 20;

/** Whether a text after an answer, from a sentence's beginning on, only speaks about it. */
export function explains(text: string, answer: string): boolean {
  const [heading = ''] = HEADING.exec(text) ?? [];
  let from = heading.length;
  for (let k = 0; k < MOST_SENTENCES; k++) {
    const end = sentenceEnd(text, from);
    const sentence = text.slice(from, end?.at).replace(/^[\s*_#>$`\\\])"'”’-]+/, '');
    if (sentence.trim() !== '') {
      if (givesAnother(sentence, answer)) return false;
      if (heading === '' && !isRemark(sentence, k === 0)) return false;
    }
    if (!end) return true;
    from = end.next;
  }
  return false;
}

function isRemark(sentence: string, first: boolean): boolean {
  const words = sentence.match(/\p{L}+/gu)?.length ?? 0;
  const whole = OPENS_REMARK.test(sentence) || /[.!?:]["'”’)*_\s]*$/u.test(sentence);
  if (words >= (/^see /i.test(sentence) ? 2 : 3) && whole && SAYS.test(sentence) && /^[\p{L}("“]/u.test(sentence))
    return true;
  // Further on a calculation may stand; a name alone may not.
  return !first && sentence.includes('=');
}

/** The end of a sentence, and where the text goes on. */
export interface SentenceEnd {
  at: number;
  next: number;
}

const CLOSERS = /["'”’»)\]*_`$}]/;
const ENDS = /[.!?。！？]/;
const BLANK = /\s/;

/** The first end of a sentence or a line at or after `from`, outside of braces; null where none comes. */
export function sentenceEnd(text: string, from: number): SentenceEnd | null {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth = Math.max(0, depth - 1);
    else if (depth > 0) continue;
    else if (character === '\n') return { at, next: at + 1 };
    else if (ENDS.test(character)) {
      let end = at + 1;
      while (end < text.length && (CLOSERS.test(text[end]!) || ENDS.test(text[end]!))) end += 1;
      if (end === text.length || BLANK.test(text[end]!)) return { at: end, next: end };
      at = end - 1;
    }
  }
  return null;
}

/** A text that was cut off without its unfinished last sentence; null where that is all, or offers another answer. */
export function beforeCut(text: string): string | null {
  let last: SentenceEnd | null = null;
  for (let end = sentenceEnd(text, 0); end; end = sentenceEnd(text, end.next)) last = end;
  const unfinished = last ? text.slice(last.next).trim() : '';
  if (unfinished === '') return null;
  const before = text.slice(0, last!.at);
  return givesAnother(unfinished, before) ? null : before;
}

/** What ends no sentence: initials and short forms. */
const SHORT_FORM =
  /(?<!\p{L})(?:\p{L}|\p{L}\.\p{L}|st|mr|mrs|ms|dr|prof|no|mt|ft|jr|sr|vs|inc|ltd|co|corp|gen|col|capt|lt|rev|vol|pp|fig|eq|ca|cf|approx|i\.e|e\.g|u\.s|etc|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$/iu;

/** Ends looked at before an answer is taken to have none. */
const MOST_ENDS = 8;

/** The answer without the sentences after it, where these only explain it; else the whole. */
export function withoutSentences(phrase: string): string {
  let from = 0;
  for (let k = 0; k < MOST_ENDS; k++) {
    const end = sentenceEnd(phrase, from);
    if (!end) return phrase;
    const answer = phrase.slice(0, end.at);
    if (/[\p{L}\p{N}]/u.test(answer)) {
      const rest = phrase.slice(end.next);
      if (explains(rest, answer)) return answer;
      if (!SHORT_FORM.test(answer.slice(-10).trimEnd())) return phrase;
    }
    from = end.next;
  }
  return phrase;
}

const ABOUT =
  'because|according to (?:the|this|documents?|paragraphs?|pages?|tables?)|given that|' +
  'as (?:stated|shown|seen|mentioned|given|described|calculated|indicated|reported|noted|required|per)|' +
  '(?:when )?round(?:ed|ing)|to the nearest|to (?:one|two|three|four|\\d) (?:decimal|significant)|correct to|see|' +
  '(?:from|in) (?:the )?(?:documents?|text|passage|context|table|report) ?\\d*';
/** Parts of a sentence that speak about an answer, at its end: in brackets, or without. */
const REMARKS: readonly RegExp[] = [
  /\s*\[\d{1,6}(?:\s*[,;]\s*\d{1,6})*\](?:,?\s*\[\d{1,6}(?:\s*[,;]\s*\d{1,6})*\])*\s*$/,
  new RegExp(`\\s*[([](?:${ABOUT}|documents?|sources?|refs?|approx)(?!\\p{L})[^()[\\]]{0,200}[)\\]]\\s*$`, 'iu'),
  new RegExp(`,?\\s(?:${ABOUT})(?!\\p{L}).{0,300}$`, 'isu'),
  /,\s(?:based on|which (?:is|was) (?:stated|given|found|mentioned)|since)(?!\p{L}).{0,300}$/isu,
];

const LONGEST_REMARK = 400;

/** The answer without remarks on it in its own sentence. */
export function withoutRemarks(phrase: string): string {
  const trimmed = phrase.trimEnd().replace(/(?<!\.)\.$/, '');
  const start = Math.max(0, trimmed.length - LONGEST_REMARK);
  for (const pattern of REMARKS) {
    const remark = pattern.exec(trimmed.slice(start));
    const answer = remark ? trimmed.slice(0, start + remark.index) : '';
    if (remark && /[\p{L}\p{N}]/u.test(answer) && !givesAnother(remark[0].replace(/^[\s,]+/, ''), answer))
      return answer;
  }
  return phrase;
}
