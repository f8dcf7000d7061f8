/**
 * Arithmetic as Python's eval() computes it: DocMath-Eval evaluates the answers of models. Numbers, operators, and the few
 * functions a calculation may name; nothing else of the language is run.
 */
import {
  absolute,
  arithmetic,
  type Binary,
  bitwise,
  divide,
  finite,
  floorDivide,
  integer,
  mathPow,
  nonZero,
  PythonError,
  type PythonNumber,
  power,
  shift,
  TooLarge,
  toFloat,
} from './python-numbers.js';

/** int (also bool) and float; or whatever is no number: a tuple, a list, a string, None, an int beyond all floats. */
export type PythonValue = PythonNumber | typeof NO_NUMBER;
export const NO_NUMBER = Symbol('no number');

const TOKEN =
  /[ \t\f]*(?:(?<comment>#[^\n]*)|(?<float>(?:\d+(?:_\d+)*\.(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+(?:_\d+)*)?|\d+(?:_\d+)*[eE][-+]?\d+(?:_\d+)*)|(?<int>0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:0(?:_?0)*|[1-9](?:_?\d)*))|(?<string>"[^"\\\n]*"|'[^'\\\n]*')|(?<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?<operator>\*\*|\/\/|<<|>>|[-+*/<>&|^~()[\]{},\n]))/y;

interface Token {
  kind: 'float' | 'int' | 'string' | 'name' | 'operator' | 'end';
  text: string;
}

/** Throws PythonError where Python raises any exception. */
export function evaluatePython(source: string): PythonValue {
  try {
    return new Parser(tokenize(source)).all();
  } catch (error) {
    if (error instanceof TooLarge) return NO_NUMBER;
    throw error;
  }
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const text = source.replace(/^[ \t]+/, '');
  let open = 0;
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (/^[ \t\f]+$/.test(text.slice(at))) break;
      throw new PythonError(`no token at ${at}`);
    }
    at = TOKEN.lastIndex;
    const [kind, word] = Object.entries(match.groups!).find(([, word]) => word !== undefined)!;
    if (kind === 'comment') continue;
    if (word === '\n' && open > 0) continue;
    if (word === '\n') {
      // Empty lines before the first are fine, but that one must not be indented.
      const more = tokens.length > 0 ? /\S/ : /^[ \t\f]+[^\s#]/;
      if (more.test(text.slice(at))) throw new PythonError('a second line or an indented one');
      continue;
    }
    if ('([{'.includes(word!)) open++;
    if (')]}'.includes(word!)) open--;
    if ((kind === 'int' || kind === 'float') && /^(?!and\b|or\b)[\w.]/.test(text.slice(at)))
      throw new PythonError('a number runs into a name');
    tokens.push({ kind: kind as Token['kind'], text: word! });
  }
  return [...tokens, { kind: 'end', text: '' }];
}

const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
/** What CPython's tokenizer allows. */
const DEEPEST = 200;

/** From the loosest to the tightest binding. */
const LEVELS: Record<string, Binary>[] = [
  { '|': bitwise((a, b) => a | b) },
  { '^': bitwise((a, b) => a ^ b) },
  { '&': bitwise((a, b) => a & b) },
  { '<<': bitwise((a, b) => shift(a, b)), '>>': bitwise((a, b) => shift(a, -b, b)) },
  {
    '+': arithmetic(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
    '-': arithmetic(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  },
  {
    '*': arithmetic(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
    '/': divide,
    '//': arithmetic(floorDivide, (a, b) => Math.floor(a / nonZero(b))),
  },
];

class Parser {
  private at = 0;
  private depth = 0;
  constructor(private readonly tokens: readonly Token[]) {}

  all(): PythonValue {
    const value = this.list();
    if (this.token.kind !== 'end') throw new PythonError(`unexpected ${this.token.text}`);
    return value;
  }

  private get token(): Token {
    return this.tokens[this.at]!;
  }

  private take(...texts: string[]): string | null {
    const { kind, text } = this.token;
    if ((kind !== 'operator' && kind !== 'name') || !texts.includes(text)) return null;
    this.at++;
    return text;
  }

  /** A tuple where there is a comma. */
  private list(): PythonValue {
    const first = this.or();
    let commas = false;
    while (this.take(',')) {
      commas = true;
      if (this.token.kind === 'end' || ')]}'.includes(this.token.text)) break;
      this.or();
    }
    return commas ? NO_NUMBER : first;
  }

  private or(): PythonValue {
    let value = this.and();
    while (this.take('or')) {
      const right = this.and();
      value = isTrue(value) ? value : right;
    }
    return value;
  }

  private and(): PythonValue {
    let value = this.not();
    while (this.take('and')) {
      const right = this.not();
      value = isTrue(value) ? right : value;
    }
    return value;
  }

  private not(): PythonValue {
    if (this.take('not')) return this.nested(() => (isTrue(this.not()) ? 0n : 1n));
    return this.comparison();
  }

  private comparison(): PythonValue {
    let left = this.binary(0);
    let result: PythonValue | null = null;
    for (let operator = this.take('<', '>'); operator !== null; operator = this.take('<', '>')) {
      const right = this.binary(0);
      const [a, b] = [numeric(left), numeric(right)];
      const holds = operator === '<' ? a < b : a > b;
      result = (result === null || result === 1n) && holds ? 1n : 0n;
      left = right;
    }
    return result ?? left;
  }

  private binary(level: number): PythonValue {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = this.take(...Object.keys(operators));
      if (operator === null) return left;
      left = operators[operator]!(numeric(left), numeric(this.binary(level + 1)));
    }
  }

  private unary(): PythonValue {
    const sign = this.take('+', '-', '~');
    if (sign === null) return this.power();
    const value = this.nested(() => numeric(this.unary()));
    if (sign === '+') return value;
    if (sign === '-') return -value;
    if (typeof value !== 'bigint') throw new PythonError('~ of a float');
    return ~value;
  }

  private power(): PythonValue {
    const base = this.primary();
    return this.take('**')
      ? power(
          numeric(base),
          this.nested(() => numeric(this.unary())),
        )
      : base;
  }

  private primary(): PythonValue {
    const { kind, text } = this.token;
    this.at++;
    if (kind === 'float') return Number(text.replaceAll('_', ''));
    if (kind === 'int') return integer(text.replaceAll('_', ''));
    if (kind === 'string') {
      while (this.token.kind === 'string') this.at++;
      return NO_NUMBER;
    }
    if (kind === 'name') return this.name(text);
    const closing = CLOSING[text];
    if (closing === undefined) throw new PythonError(`unexpected ${text || 'end'}`);
    const value = this.nested(() => (this.token.text === closing ? NO_NUMBER : this.list()));
    if (!this.take(closing)) throw new PythonError(`expected ${closing}`);
    return text === '(' ? value : NO_NUMBER;
  }

  private name(name: string): PythonValue {
    if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name]!;
    const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (call === undefined) throw new PythonError(`unknown name ${name}`);
    if (!this.take('(')) return NO_NUMBER;
    const values: PythonNumber[] = [];
    while (!this.take(')')) {
      values.push(this.nested(() => numeric(this.or())));
      if (!this.take(',') && this.token.text !== ')') throw new PythonError('expected )');
    }
    return call(...values);
  }

  private nested<T>(inner: () => T): T {
    if (++this.depth > DEEPEST) throw new PythonError('nested too deeply');
    const value = inner();
    this.depth--;
    return value;
  }
}

const CONSTANTS: Record<string, PythonValue> = {
  True: 1n,
  False: 0n,
  None: NO_NUMBER,
  'math.pi': Math.PI,
  'math.e': Math.E,
};

const FUNCTIONS: Record<string, (...values: PythonNumber[]) => PythonNumber> = {
  'math.pow': (base, exponent, ...rest) => mathPow(toFloat(present(base)), toFloat(present(exponent, rest))),
  'math.sqrt': (value, ...rest) => finite(Math.sqrt(toFloat(present(value, rest)))),
  abs: (value, ...rest) => absolute(present(value, rest)),
  max: (...values) => extreme(values, (value, best) => value > best),
  min: (...values) => extreme(values, (value, best) => value < best),
};

/** The first of equals, as Python's. */
function extreme(
  values: readonly PythonNumber[],
  better: (value: PythonNumber, best: PythonNumber) => boolean,
): PythonNumber {
  if (values.length < 2) throw new PythonError('expected two values or more');
  return values.reduce((best, value) => (better(value, best) ? value : best));
}

function present(value: PythonNumber | undefined, unwanted: readonly unknown[] = []): PythonNumber {
  if (value === undefined || unwanted.length > 0) throw new PythonError('another number of arguments expected');
  return value;
}

function numeric(value: PythonValue): PythonNumber {
  if (value === NO_NUMBER) throw new PythonError('no number');
  return value as PythonNumber;
}

function isTrue(value: PythonValue): boolean {
  const number = numeric(value);
  return number !== 0 && number !== 0n;
}
