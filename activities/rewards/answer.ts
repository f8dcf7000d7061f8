/** Finding an answer in what a response says, and taking off what is written around it. */
import { givesAnother } from './another-answer.js';
import { explains, sentenceEnd, withoutRemarks, withoutSentences } from './explanation.js';
import { beginsWithUnit } from './hardened/units.js';
import { plainLatex } from './latex.js';

/**
 * An answer as it was given, and shorter readings of it: without the sentences and remarks that only explain it. Whoever
 * compares takes the first that is right; a reading leaves out nothing that could make it another answer.
 */
export interface Stated {
  whole: string;
  /** The whole first; the last is the answer alone. */
  readings: string[];
  /** Whether something stands after the answer, which then is whole even in a response that was cut off. */
  ended: boolean;
}

/** "the answer is", "The final answer to the question is"; or "Answer:" and "Final Answer" where a line begins. */
const MARKER =
  /the[\s*_]+(?:(?:final|correct|right)[\s*_]+)?answer[\s*_]+(?:to (?:the|this|your) (?:question|problem)[\s*_]+)?is(?!\p{L})|(?<=^|\n)[\s*_#>]{0,20}(?:(?:the[\s*_]+)?(?:final|correct)[\s*_]+answer[\s*_]*[:：\n]|answer[\s*_]*[:：])/giu;
const BOX = /\\(?:boxed|fbox)\s{0,3}\{/g;

/** The last answer that is stated: after the last "the answer is", or in a \boxed{…} after it; null when there is none. */
export function answerStated(said: string): Stated | null {
  const marker = [...said.matchAll(MARKER)].at(-1);
  const start = marker ? marker.index + marker[0].length : 0;
  const phrase = said.slice(start);
  const boxes = closedBoxes(phrase);
  if (!marker && boxes.length === 0) return null;
  const last = boxes.at(-1);
  if (!last) return stated(phrase, null);
  // Boxes of one sentence are one answer; of several sentences the last says it.
  let [from, next] = [0, 0];
  for (let end = sentenceEnd(phrase, 0); end && end.next <= last.start; end = sentenceEnd(phrase, end.next)) {
    from = next = end.next;
  }
  const own = boxes.filter(box => box.start >= next);
  const inFirst = marker !== undefined && !/[\p{L}\p{N}]/u.test(phrase.slice(0, from));
  if (inFirst) return stated(phrase, own.length === 1 && opensWith(phrase, own[0]!) ? own[0]! : null);
  // A formula that the box closes was opened before it.
  const opened = [...phrase.slice(next, own[0]!.start).matchAll(/(?<!\\)\$\$?/g)].map(([sign]) => sign);
  const lead = opened.length % 2 === 1 ? opened.at(-1)! : '';
  const tail = lead + phrase.slice(own[0]!.start);
  const end = lead.length + own[0]!.end - own[0]!.start;
  return stated(tail, own.length === 1 ? { ...own[0]!, start: lead.length, end } : null);
}

interface Box {
  start: number;
  /** After its closing brace. */
  end: number;
  content: string;
}

/** What may stand between "is" and a box. */
const LEAD = /^[\s:*_$("'`\\[]*(?:approximately\s|about\s|[\p{L}_]{1,3}\s*=\s*)?[\s$\\([]*$/u;
const opensWith = (phrase: string, { start }: Box): boolean => start <= 60 && LEAD.test(phrase.slice(0, start));

/** \boxed{…} whose braces close, those inside another one apart, in order. */
function closedBoxes(text: string): Box[] {
  const starts = new Map([...text.matchAll(BOX)].map(({ index, 0: lead }) => [index + lead.length - 1, index]));
  if (starts.size === 0) return [];
  const open: number[] = [];
  const boxes: Box[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '{') open.push(at);
    else if (text[at] === '}' && open.length > 0) {
      const brace = open.pop()!;
      const start = starts.get(brace);
      if (start === undefined) continue;
      while (boxes.length > 0 && boxes.at(-1)!.start > start) boxes.pop();
      boxes.push({ start, end: at + 1, content: text.slice(brace + 1, at) });
    }
  }
  return boxes;
}

/** What after a box in its sentence belongs to what is in it: more numbers, a scale, another box, a way out. */
const BELONGS =
  /\\boxed|\d|[%°$€£¥×^±/!+<>=]|\\(?:%|\$|times|cdot|pm|frac)|(?<!\p{L})(?:and|or|either|not|percent|per|hundred|thousand|million|billion|trillion|dozen|maybe|perhaps|but|minus|plus|k|m|bn?)(?!\p{L})/iu;
function stated(phrase: string, box: Box | null): Stated | null {
  const whole = unwrapped(phrase);
  if (whole === '') return null;
  const short = withoutSentences(phrase.trimStart());
  const readings = [whole, unwrapped(short), unwrapped(withoutRemarks(short))];
  let ended = short !== phrase.trimStart();
  if (box) {
    const after = phrase.slice(box.end);
    const end = sentenceEnd(after, 0);
    const sentence = after.slice(0, end?.at).replace(/^[\s$)\]]+/, '');
    const follows = end ? after.slice(end.next) : '';
    const belongs = BELONGS.test(sentence) || beginsWithUnit(plainLatex(sentence).trim());
    if (!belongs && !givesAnother(sentence, box.content) && explains(follows, box.content)) {
      readings.push(unwrapped(box.content));
    }
    ended = true;
  }
  return { whole, readings: [...new Set(readings)].filter(reading => reading !== ''), ended };
}

const AROUND = /[\s"'“”‘’«»*_`:]/u;

/** 10**6 is a power. */
const BOLD = /(?<!\d)\*\*|\*\*(?![\d(-])/g;
/** Layers around an answer at most. */
const MOST_LAYERS = 10;

/** Stripped of blanks, quotes, asterisks, LaTeX and the final full stop. */
export function unwrapped(text: string): string {
  let plain = plainLatex(text).replaceAll(BOLD, '');
  for (let [k, before] = [0, '']; k < MOST_LAYERS && plain !== before; k++) {
    before = plain;
    plain = bare(plain);
    if (plain.endsWith('.') && !plain.endsWith('..')) plain = plain.slice(0, -1);
  }
  return plain;
}

/** Without quotes, asterisks and blanks at its ends. */
function bare(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && AROUND.test(text[start]!)) start += 1;
  while (end > start && AROUND.test(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}
