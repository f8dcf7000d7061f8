/** Text as wide as a terminal shows it: some characters take two columns, marks above letters and colours none. */
import stringWidth from 'string-width';

/** Columns that the text takes. */
export const widthOf = (text: string): number => stringWidth(text);

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** A colour, which is passed on whole. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is how a terminal is told of colours
const COLOUR = /(\x1b\[[\d;]*m)/;
const PLAIN = '\x1b[0m';

/** The text cut to so many columns, with … in place of what is left out. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let left = columns - 1;
  let kept = '';
  for (const part of text.split(COLOUR)) {
    if (COLOUR.test(part)) {
      kept += part;
      continue;
    }
    for (const { segment } of GRAPHEMES.segment(part)) {
      left -= widthOf(segment);
      if (left < 0) return `${kept}…${COLOUR.test(kept) ? PLAIN : ''}`;
      kept += segment;
    }
  }
  return kept;
}

/** The text filled up with blanks to so many columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return side === 'left' ? text + blanks : blanks + text;
}

/** What a model or a document says, without what a terminal would take for commands. */
export const harmless = (text: string): string => text.replace(/(?![\n\t])\p{Cc}/gu, '\ufffd');

/** The text's lines, broken between words where they are too long; a word longer than a line is broken too. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap(line => wrapLine(line, columns));
}

function wrapLine(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const lines: string[] = [];
  let [current, width] = ['', 0];
  const end = () => {
    lines.push(current.trimEnd());
    [current, width] = ['', 0];
  };
  for (const word of line.split(/(?<=\s)/)) {
    const own = widthOf(word.trimEnd());
    if (width > 0 && width + own > columns) end();
    if (own > columns) {
      for (const { segment } of GRAPHEMES.segment(word)) {
        if (width + widthOf(segment) > columns) end();
        current += segment;
        width += widthOf(segment);
      }
    } else {
      current += word;
      width += widthOf(word);
    }
  }
  end();
  return lines;
}
