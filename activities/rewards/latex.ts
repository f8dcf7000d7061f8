/**
 * LaTeX as models write it, in plain characters: \frac{3}{4} is 3/4, 3\tfrac12 is 3 1/2, 10^{-2} is 10^-2, 90^\circ is 90°.
 * What has no plain form keeps its backslash, so that nothing takes it for a number (0.\overline{3} is not 0.3).
 */

/** Deeper nesting than an answer ever has is left as it is. */
const MAX_DEPTH = 40;

/** Commands that only say how their argument looks. */
const STYLES = new Set(
  (
    'text textbf textit textrm textsf texttt textnormal textup emph underline mathrm mathbf mathit mathsf mathtt ' +
    'mathnormal boldsymbol bm mbox hbox operatorname'
  ).split(' '),
);
/** Two boxes beside one another are two answers. */
const BOXES = new Set(['boxed', 'fbox', 'framebox']);
const FRACTIONS = new Set(['frac', 'dfrac', 'tfrac', 'cfrac']);
/** Sizes, which say nothing. */
const SIZES = new Set(
  'left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle textstyle limits bf rm it'.split(' '),
);
/** What needs no brackets in a fraction. */
const SINGLE = { top: /^[+-]?[\p{L}\p{N}.,]+$/u, bottom: /^[\p{L}\p{N}.,]+$/u };
const BLANKS = new Set(['quad', 'qquad', 'thinspace', 'enspace', 'space', ',', ';', ':', ' ', '\\', '\n']);
const NOTHING = new Set(['(', ')', '[', ']', '!']);

const SYMBOLS: Readonly<Record<string, string>> = {
  times: '×',
  cdot: '×',
  ast: '×',
  div: '÷',
  pm: '±',
  mp: '∓',
  approx: '≈',
  simeq: '≈',
  sim: '~',
  neq: '≠',
  ne: '≠',
  leq: '≤',
  le: '≤',
  geq: '≥',
  ge: '≥',
  lt: '<',
  gt: '>',
  pi: 'π',
  infty: '∞',
  circ: '°',
  degree: '°',
  percent: '%',
  dollar: '$',
  textdollar: '$',
  euro: '€',
  pounds: '£',
  textasciitilde: '~',
  ldots: '…',
  dots: '…',
};

export function plainLatex(text: string): string {
  if (!/[\\{}$^]/.test(text)) return text;
  const math = withoutDollars(text.replaceAll(/\\\(|\\\)/g, ''));
  return new Reader(math).read(0, math.length, 0);
}

/**
 * Dollar signs that open and close a formula are taken out, those that are money stay. As Markdown readers have it: no blank
 * follows the first or stands before the second, and no digit follows it.
 */
function withoutDollars(text: string): string {
  const signs: { at: number; length: number }[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '$') {
      const length = text[at + 1] === '$' ? 2 : 1;
      signs.push({ at, length });
      at += length - 1;
    }
  }
  let [plain, from] = ['', 0];
  for (let k = 0; k + 1 < signs.length; k++) {
    const [open, close] = [signs[k]!, signs[k + 1]!];
    const inside = text.slice(open.at + open.length, close.at);
    const display = open.length === 2;
    const opens = display || /^\S/.test(inside);
    const closes = display || (/\S$/.test(inside) && !/\d/.test(text[close.at + 1] ?? ''));
    if (open.length !== close.length || inside === '' || !opens || !closes) continue;
    plain += text.slice(from, open.at) + inside;
    from = close.at + close.length;
    k += 1;
  }
  // Two together are never money.
  return plain + text.slice(from).replaceAll(/(?<!\\)\$\$/g, '');
}

/** What a command or a group stands for, and where the text goes on after it. */
interface Piece {
  plain: string;
  end: number;
}

class Reader {
  /** Of every closed group, from its opening to its closing brace. */
  private readonly closings = new Map<number, number>();

  constructor(private readonly text: string) {
    const open: number[] = [];
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '\\') at += 1;
      else if (text[at] === '{') open.push(at);
      else if (text[at] === '}' && open.length > 0) this.closings.set(open.pop()!, at);
    }
  }

  read(from: number, to: number, depth: number): string {
    if (depth > MAX_DEPTH) return this.text.slice(from, to);
    let plain = '';
    for (let at = from; at < to; ) {
      const piece = this.piece(at, depth);
      plain += piece.plain;
      at = piece.end;
    }
    return plain;
  }

  private piece(at: number, depth: number): Piece {
    const character = this.text[at]!;
    if (character === '\\') return this.command(at, depth);
    if (character === '^') return this.power(at, depth);
    if (character === '{' && this.closings.has(at)) return this.group(at, depth);
    if (character === '~' && at > 0) return { plain: ' ', end: at + 1 };
    return { plain: character, end: at + 1 };
  }

  private group(at: number, depth: number): Piece {
    const close = this.closings.get(at)!;
    return { plain: this.read(at + 1, close, depth + 1), end: close + 1 };
  }

  private command(at: number, depth: number): Piece {
    const name = nameAt(this.text, at + 1);
    let end = at + 1 + name.length;
    const symbol = SYMBOLS[name];
    if (BLANKS.has(name)) return { plain: ' ', end };
    if (NOTHING.has(name)) return { plain: '', end };
    if (!/^[a-z]/i.test(name)) return { plain: name, end };
    if (symbol !== undefined) return { plain: symbol, end: this.skipBlanks(end) };
    if (SIZES.has(name)) {
      if (this.text[end] === '.') end += 1;
      return { plain: '', end };
    }
    const read = this.structure(name, end, depth);
    return read ?? { plain: `\\${name}`, end };
  }

  private structure(name: string, end: number, depth: number): Piece | null {
    if (STYLES.has(name)) return this.argument(end, depth);
    if (FRACTIONS.has(name)) return this.fraction(end, depth);
    if (name === 'sqrt') return this.root(end, depth);
    const boxed = BOXES.has(name) ? this.argument(end, depth) : null;
    return boxed && { plain: ` ${boxed.plain} `, end: boxed.end };
  }

  /** A group, a command or one character, as LaTeX takes arguments; null where the text ends before it. */
  private argument(from: number, depth: number): Piece | null {
    const at = this.skipBlanks(from);
    if (at >= this.text.length || depth > MAX_DEPTH) return null;
    if (this.text[at] === '{') return this.closings.has(at) ? this.group(at, depth) : null;
    if (this.text[at] === '}') return null;
    return this.text[at] === '\\' ? this.command(at, depth + 1) : { plain: this.text[at]!, end: at + 1 };
  }

  /** Blanks around keep it apart from the number before it, as in 3\frac{1}{2}. */
  private fraction(from: number, depth: number): Piece | null {
    const top = this.argument(from, depth);
    const bottom = top && this.argument(top.end, depth);
    return (
      bottom && { plain: ` ${term(top.plain, SINGLE.top)}/${term(bottom.plain, SINGLE.bottom)} `, end: bottom.end }
    );
  }

  private root(from: number, depth: number): Piece | null {
    const [, index = '', rest] = /^\s*(?:\[([^\]]{0,9})\])?()/.exec(this.text.slice(from, from + 20)) as string[];
    const start = index === '' ? from : this.text.indexOf(']', from) + 1;
    const of = this.argument(start, depth);
    return of && { plain: `√${index === '' ? '' : `[${index}]`}(${of.plain.trim()})${rest}`, end: of.end };
  }

  private power(at: number, depth: number): Piece {
    const digits = /^[+-]?\d+/.exec(this.text.slice(at + 1, at + 400))?.[0];
    if (digits !== undefined) return { plain: `^${digits}`, end: at + 1 + digits.length };
    const read = this.argument(at + 1, depth);
    if (!read) return { plain: '^', end: at + 1 };
    const of = read.plain.trim();
    if (of === '°') return { plain: '°', end: read.end };
    // What stands after a group is none of it: 10^{6}5 is no 10^65.
    const apart = /\d/.test(this.text[read.end] ?? '') ? ' ' : '';
    return { plain: `^${/^[+-]?\d+$|^.$/u.test(of) ? of : `(${of})`}${apart}`, end: read.end };
  }

  private skipBlanks(at: number): number {
    let end = at;
    while (end < this.text.length && /\s/.test(this.text[end]!)) end += 1;
    return end;
  }
}

/** A command's letters, or its one character; empty at the end of the text. */
function nameAt(text: string, at: number): string {
  let end = at;
  while (end < text.length && /[a-z]/i.test(text[end]!)) end += 1;
  return end > at ? text.slice(at, end) : text.slice(at, at + 1);
}

/** One side of a fraction: in brackets unless it is one number or word. */
function term(plain: string, single: RegExp): string {
  const side = plain.trim();
  return single.test(side) ? side : `(${side})`;
}
