/** Finding an answer in a response and bringing it to a form that can be compared. */

const MARKER = /the (?:final |correct )?answer is/gi;
const AROUND = /[\s"'“”‘’«»*`:]/u;
/** What some tokenizers write where a reply ends: <|im_end|>, <｜end▁of▁sentence｜>. */
const END_TOKEN = /(?:<[|｜][^<>|｜]{1,40}[|｜]>|<\/s>)$/u;
const THOUGHT_END = '</think>';

/** What follows the last </think>; null inside unfinished thinking, where nothing is answered yet. */
export function afterThinking(text: string): string | null {
  const end = text.lastIndexOf(THOUGHT_END);
  if (end < 0 && text.includes('<think>')) return null;
  let said = (end < 0 ? text : text.slice(end + THOUGHT_END.length)).trimEnd();
  while (END_TOKEN.test(said)) said = said.replace(END_TOKEN, '').trimEnd();
  return said;
}

/**
 * The text after the last "the answer is" (or "the final answer is", "the correct answer is"), or else in the last \boxed{…},
 * stripped of blanks, quotes, asterisks, LaTeX around it and the final full stop; null when there is none.
 */
export function answerPhrase(text: string): string | null {
  const said = afterThinking(text);
  if (said === null) return null;
  const last = [...said.matchAll(MARKER)].at(-1);
  const phrase = last ? said.slice(last.index + last[0].length) : boxed(said);
  const answer = phrase === null ? '' : unwrapped(phrase);
  return answer === '' ? null : answer;
}

/** The content of the last \boxed{…} whose braces close. */
function boxed(text: string): string | null {
  const start = text.lastIndexOf('\\boxed{');
  if (start < 0) return null;
  const from = start + '\\boxed{'.length;
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(from, at);
  }
  return null;
}

/** What is written around an answer and is no part of it, from the outside in. */
const WRAPPERS: readonly (readonly [RegExp, string])[] = [
  [/(?<!\.)\.$/, ''],
  [/^\\(?:boxed|text|textbf|mathrm|mathbf)\{([^{}]*|[^{}]*\{[^{}]*\}[^{}]*)\}$/, '$1'],
  [/^\\\((.*)\\\)$/s, '$1'],
  [/^\\\[(.*)\\\]$/s, '$1'],
  [/^\$\$?([^$]+)\$\$?$/, '$1'],
];

/** LaTeX within an answer, in plain characters. */
const LATEX: readonly (readonly [RegExp, string])[] = [
  [/\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}/g, '$1'],
  [/\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}/g, '$1/$2'],
  [/\\([$%&#_])/g, '$1'],
  [/\\(?:times|cdot)\b/g, '×'],
  [/\\approx\b/g, '≈'],
  [/\{,\}/g, ','],
  [/\\[,;!: ]/g, ' '],
];

const replaced = (text: string, table: readonly (readonly [RegExp, string])[]): string =>
  table.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text);

export function unwrapped(text: string): string {
  for (let [before, after] = ['', text]; ; ) {
    [before, after] = [after, replaced(bare(after), WRAPPERS)];
    if (before === after) return after.includes('\\') || after.includes('{') ? replaced(after, LATEX) : after;
  }
}

/** Without quotes, asterisks and blanks at its ends. */
function bare(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && AROUND.test(text[start]!)) start += 1;
  while (end > start && AROUND.test(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}

/** Latin letters that Unicode does not take apart into a letter and an accent. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
};

/**
 * Lower case and Unicode's compatibility forms, without what cannot be seen. Vulgar fractions and raised digits keep apart
 * from the digit before them, which NFKC would join: 5½ is "5 1⁄2", 10³ is "10^3".
 */
export function folded(text: string): string {
  return text
    .replaceAll(/(?<=\d)(?=[¼-¾⅐-⅞])/g, ' ')
    .replaceAll(/(?<=\d)(?=[⁺⁻]?[⁰¹²³⁴-⁹])/g, match => `${match}^`)
    .replaceAll(/(?<=[⁰¹²³⁴-⁹⁺⁻])\^(?=[⁰¹²³⁴-⁹])/g, '')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\p{Cf}\p{Cc}]/gu, control => (/\s/.test(control) ? ' ' : ''));
}

/**
 * Folded, Latin letters without their accents, no punctuation, no articles, single blanks: what must be equal for two texts
 * to be. Signs and separators inside numbers stay meaningful ("-5" is not "5", "10.1" not "101", "1,987" is "1987", "3:2" not
 * "32"), hyphens between words are blanks, "C#" is not "C", and an answer that is an article alone ("A") stays what it is.
 */
export function normalise(text: string): string {
  const words = withoutAccents(folded(text))
    .replaceAll(/(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])/g, number => number.replaceAll(',', ''))
    .replaceAll(/(?<![\p{L}\p{N}])[-−–](?=\.?\d)/gu, '\u0001')
    .replaceAll(/(?<=\d)\.(?=\d)|(?<![\p{L}\p{N}])\.(?=\d)/gu, '\u0002')
    .replaceAll(/(?<=\p{L})#/gu, '\u0003')
    .replaceAll(/[\p{Pd}/]/gu, ' ')
    .replaceAll(/(?<=\d)[\p{P}\p{Sc}\p{Sk}]+(?=\d)/gu, ' ')
    .replaceAll(/[\p{P}\p{Sc}\p{Sk}]/gu, '')
    .replaceAll('\u0001', '-')
    .replaceAll('\u0002', '.')
    .replaceAll('\u0003', '#')
    .split(/\s+/)
    .filter(word => word !== '');
  const content = words.filter(word => word !== 'a' && word !== 'an' && word !== 'the');
  return (content.length > 0 ? content : words).join(' ');
}

/** Of Latin letters only: in other scripts a mark makes another letter. */
function withoutAccents(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII has no accents
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return text
    .normalize('NFD')
    .replaceAll(/(\p{Script=Latin})\p{Mn}+/gu, '$1')
    .normalize('NFC')
    .replaceAll(/[øłđðþßæœı]/g, letter => PLAIN_LETTERS[letter]!);
}
