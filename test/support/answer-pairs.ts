/**
 * Pairs of a gold answer and a response that are equal, or not, by construction: a number, and the forms in which models write
 * it. Values are exact (thousandths as integers), so that which pairs are equal hangs on nothing that is tested.
 */
import { randomStream } from '../../activities/engine/random.js';

export interface AnswerPair {
  /** How the response writes it, and what is around it. */
  form: string;
  gold: string;
  response: string;
  equal: boolean;
}

type Random = () => number;
const below = (random: Random, end: number): number => Math.floor(random() * end);
const pick = <T>(random: Random, of: readonly T[]): T => of[below(random, of.length)]!;

/** A number of thousandths. */
interface Value {
  thousandths: number;
  /** For forms with a fraction. */
  top: number;
  bottom: number;
}

const BOTTOMS = [2, 4, 5, 8, 10, 20, 25, 40, 50] as const;

function value(random: Random): Value {
  const bottom = pick(random, BOTTOMS);
  const top = 1 + below(random, pick(random, [bottom, 20, 200, 20_000, 20_000_000]));
  return { thousandths: (top * 1000) / bottom, top, bottom };
}

/** Digits of thousandths, grouped by `group` and with `point` before the fraction. */
function written(thousandths: number, group: string, point: string, indian = false): string {
  const whole = String(Math.floor(thousandths / 1000));
  const fraction = String(thousandths % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '');
  const pattern = indian ? /\B(?=(?:\d{2})*\d{3}$)/g : /\B(?=(?:\d{3})+$)/g;
  return whole.replace(pattern, () => group) + (fraction === '' ? '' : point + fraction);
}

const plain = ({ thousandths }: Value): string => written(thousandths, '', '.');

function scientific({ thousandths }: Value, power: (exponent: number) => string): string {
  const digits = String(thousandths).replace(/0+$/, '');
  const exponent = String(thousandths).length - 4;
  return `${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}${power(exponent)}`;
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const raised = (n: number): string =>
  (n < 0 ? '⁻' : '') + [...String(Math.abs(n))].map(digit => SUPERSCRIPTS[Number(digit)]).join('');

/** A form is null where it has no way to write the value, or would mean another one by the English reading. */
type Form = (value: Value, random: Random) => string | null;

const mixed =
  (write: (whole: number, top: number, bottom: number) => string): Form =>
  ({ top, bottom }) =>
    top > bottom && top % bottom !== 0 ? write(Math.floor(top / bottom), top % bottom, bottom) : null;
/** Groups that no English reader would take for anything else: two of them, or a fraction after them. */
const foreign =
  (group: string, point: string): Form =>
  ({ thousandths }) => {
    const text = written(thousandths, group, point);
    return thousandths >= 1e9 || (thousandths >= 1e6 && thousandths % 1000 !== 0) ? text : null;
  };

const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
function words(n: number): string {
  if (n < 20) return ONES[n]!;
  if (n < 100) return TENS[Math.floor(n / 10) - 1]! + (n % 10 ? `-${ONES[n % 10]}` : '');
  if (n < 1000) return `${ONES[Math.floor(n / 100)]} hundred${n % 100 ? ` and ${words(n % 100)}` : ''}`;
  const [scale, name] = n < 1e6 ? [1000, 'thousand'] : [1e6, 'million'];
  return `${words(Math.floor(n / scale))} ${name}${n % scale ? ` ${words(n % scale)}` : ''}`;
}

export const NUMBER_FORMS: Readonly<Record<string, Form>> = {
  plain,
  'more zeros': v => (plain(v).includes('.') ? `${plain(v)}00` : `${plain(v)}.0`),
  'commas 1,234.5': ({ thousandths }) => written(thousandths, ',', '.'),
  'braced commas 1{,}234': ({ thousandths }) => written(thousandths, '{,}', '.'),
  'thin blanks 1\\,234': ({ thousandths }) => written(thousandths, '\\,', '.'),
  'blanks 1 234.5': ({ thousandths }, random) =>
    written(thousandths, pick(random, [' ', '\u00a0', '\u2009', '\u202f']), '.'),
  'blanks and comma 1 234,5': (v, random) => foreign(pick(random, [' ', '\u00a0', '\u202f']), ',')(v, random),
  'stops and comma 1.234,5': foreign('.', ','),
  "Swiss 1'234.5": ({ thousandths }, random) => written(thousandths, pick(random, ["'", '’']), '.'),
  'Indian 12,34,567': ({ thousandths }) => written(thousandths, ',', '.', true),
  'decimal comma 12,5': v => (v.thousandths % 1000 && v.thousandths % 10 === 0 ? plain(v).replace('.', ',') : null),
  '\\frac{3}{4}': ({ top, bottom }) => `\\frac{${top}}{${bottom}}`,
  '\\dfrac, \\tfrac': ({ top, bottom }, random) => `\\${pick(random, ['dfrac', 'tfrac'])}{${top}}{${bottom}}`,
  '\\frac34': ({ top, bottom }) => (top < 10 && bottom < 10 ? `\\frac${top}${bottom}` : null),
  '\\frac{3}4': ({ top, bottom }) => (bottom < 10 ? `\\frac{${top}}${bottom}` : null),
  '\\frac 3{4}': ({ top, bottom }) => (top < 10 ? `\\frac ${top}{${bottom}}` : null),
  'nested \\frac{\\text{3}}{4}': ({ top, bottom }) => `\\frac{\\text{${top}}}{{${bottom}}}`,
  '3/4': ({ top, bottom }) => `${top}/${bottom}`,
  'mixed 3\\frac{1}{2}': mixed((whole, top, bottom) => `${whole}\\frac{${top}}{${bottom}}`),
  'mixed 3 1/2': mixed((whole, top, bottom) => `${whole} ${top}/${bottom}`),
  'vulgar 3½': ({ thousandths }) => {
    const sign = { 500: '½', 250: '¼', 750: '¾', 125: '⅛', 200: '⅕', 400: '⅖' }[thousandths % 1000];
    return sign ? `${thousandths >= 1000 ? Math.floor(thousandths / 1000) : ''}${sign}` : null;
  },
  '\\times 10^{6}': v => scientific(v, exponent => ` \\times 10^{${exponent}}`),
  '\\cdot 10^6': v => scientific(v, exponent => `\\cdot10^{${exponent}}`),
  '×10⁶': v => scientific(v, exponent => ` × 10${raised(exponent)}`),
  '1.5e6': v => scientific(v, exponent => `e${exponent}`),
  '10**6': v => scientific(v, exponent => `*10**${exponent < 0 ? `(${exponent})` : exponent}`),
  'dollars before': ({ thousandths }, random) =>
    pick(random, ['$', '\\$', 'US$', 'USD ']) + written(thousandths, ',', '.'),
  'dollars after': (v, random) => `${plain(v)} ${pick(random, ['dollars', 'USD', '\\text{dollars}', 'US dollars'])}`,
  percent: (v, random) => plain(v) + pick(random, ['%', '\\%', ' %', ' percent', '\\text{ percent}']),
  'a unit': (v, random) => plain(v) + pick(random, [' km', '\\text{ km}', '\\,\\mathrm{km}', '^\\circ', '°', ' kg']),
  million: v =>
    v.thousandths >= 1e9 && v.thousandths % 1e6 === 0 ? `${written(v.thousandths / 1e6, '', '.')} million` : null,
  words: v => (v.thousandths % 1000 === 0 && v.thousandths < 1e12 ? words(v.thousandths / 1000) : null),
  equation: (v, random) => `${pick(random, ['x', 'n', '\\text{Total}', 'f(2)', '2 + 3'])} = ${plain(v)}`,
  'fraction = decimal': v => `\\frac{${v.top}}{${v.bottom}} = ${plain(v)}`,
  approximately: (v, random) => `${pick(random, ['approximately ', 'about ', '\\approx ', '≈ ', '~'])}${plain(v)}`,
  '\\left( \\right)': v => `\\left(${plain(v)}\\right)`,
  '\\text{…}': v => `\\text{${plain(v)}}`,
  '\\mathbf{…}': (v, random) => `\\${pick(random, ['mathbf', 'mathrm', 'textbf', 'boldsymbol'])}{${plain(v)}}`,
};

/** What is around an answer; only such as may hold LaTeX and words alike. */
export const FRAMES: Readonly<Record<string, (answer: string) => string>> = {
  'the answer is': a => `Therefore, the answer is ${a}.`,
  'without a stop': a => `The final answer is ${a}`,
  boxed: a => `So we find \\boxed{${a}}`,
  'boxed in $': a => `Therefore, the answer is $\\boxed{${a}}$.`,
  'boxed in \\[ \\]': a => `We get\n\\[\n\\boxed{${a}}\n\\]`,
  'boxed in $$': a => `the answer is\n$$\\boxed{${a}}$$\n`,
  fbox: a => `the answer is \\fbox{${a}}.`,
  'boxed and a sentence': a => `The final answer is $\\boxed{${a}}$. I hope it is correct.`,
  'a paragraph after': a => `the answer is ${a}.\n\nThis follows from document 2.`,
  bold: a => `the answer is **${a}**.`,
  '**Final Answer:**': a => `It adds up.\n\n**Final Answer:** ${a}`,
  'a heading': a => `It adds up.\n\n### Final Answer\n\n${a}`,
  quotes: a => `the answer is "${a}".`,
  'a document named': a => `the answer is ${a} (see document 2).`,
  'a citation': a => `the answer is ${a} [2].`,
  'after thinking': a => `<think>Perhaps the answer is 99.</think>The answer is: ${a}`,
};

/** Values that are near in writing and far in value, outside of the tolerance of 0.15 %. */
const OTHERS: Readonly<Record<string, (v: Value, random: Random) => Value>> = {
  'one more': v => ofThousandths(v.thousandths + Math.max(5, Math.ceil(v.thousandths / 200))),
  'ten times': v => ofThousandths(v.thousandths * 10),
  'a thousand times': v => ofThousandths(v.thousandths * 1000),
  'a digit lost': v => ofThousandths(Math.floor(v.thousandths / 10)),
  'upside down': v => ({ top: v.bottom, bottom: v.top, thousandths: Math.round((v.bottom * 1000) / v.top) }),
  another: (_, random) => value(random),
};

const ofThousandths = (thousandths: number): Value => ({ thousandths, top: thousandths, bottom: 1000 });

/** Ways in which an answer is not the gold one though its number stands in it. */
export const SPOILED: Readonly<Record<string, (answer: string, other: string) => string>> = {
  'another beside it': (a, b) => `${a} or ${b}`,
  'a list': (a, b) => `${a}, ${b}`,
  'in brackets another': (a, b) => `${a} (or ${b})`,
  'another sign': a => `-${a}`,
  'not it': a => `not ${a}`,
  'more than it': a => `> ${a}`,
  '\\neq': a => `x \\neq ${a}`,
  '\\ge': a => `x \\ge ${a}`,
  '!=': a => `x != ${a}`,
  factorial: a => `${a}!`,
  'times π': a => `${a}\\pi`,
  root: a => `\\sqrt{${a}}`,
  power: a => `{${a}}^{3}`,
  'a variable': a => `${a}x`,
  '±': (a, b) => `${a} \\pm ${b}`,
  range: (a, b) => `${a} - ${b}`,
  sum: a => `${a} + 1`,
  'a scale': a => `${a} million`,
  'a scale in brackets': a => `${a} (in thousands)`,
  'an equation in unknowns': a => `2x + y = ${a}`,
  'two boxes': (a, b) => `${a}} \\boxed{${b}`,
  'a pair': (a, b) => `(${a},${b})`,
  'another equation': (a, b) => `${b} = ${a}`,
};

/** Sentences after an answer that take it back or give another. */
export const TAKEN_BACK: Readonly<Record<string, (other: string) => string>> = {
  'wrong, it should be': b => `This is wrong; it should be ${b}.`,
  'the value is': b => `The value is ${b}.`,
  'the correct value is': b => `The correct value is ${b}.`,
  'the right answer would be': b => `The right answer would be ${b}.`,
  'the total equals': b => `The total equals ${b}.`,
  'we get': b => `We get ${b}.`,
  'also right': b => `${b} is also right.`,
  'after an explanation': b => `This follows from document 2. It is ${b}.`,
  mistaken: () => 'I made a mistake.',
  'not correct': () => 'This is not correct.',
};

/** @param count of each kind */
export function answerPairs(seed: number, count: number): { equal: AnswerPair[]; unequal: AnswerPair[] } {
  const stream = randomStream('answer-pairs', seed);
  const random = () => stream.uniform();
  const [equal, unequal]: AnswerPair[][] = [[], []];
  const formNames = Object.keys(NUMBER_FORMS);
  const frameNames = Object.keys(FRAMES);
  const write = (v: Value): [string, string] => {
    for (;;) {
      const name = pick(random, formNames);
      const text = NUMBER_FORMS[name]!(v, random);
      if (text !== null) return [name, text];
    }
  };
  while (equal!.length < count) {
    const v = value(random);
    const negative = random() < 0.2;
    const [form, text] = write(v);
    const frame = pick(random, frameNames);
    const signed =
      negative && /^[\d\\$½¼¾⅛⅕⅖]/.test(text) && !/^\\(?:text|left|approx|math|bold)/.test(text) && !text.includes('=');
    const gold =
      (signed ? '-' : '') + (v.thousandths % 1000 === 0 || random() < 0.7 ? plain(v) : `${v.top}/${v.bottom}`);
    equal!.push({ form: `${form}; ${frame}`, gold, response: FRAMES[frame]!(signed ? `-${text}` : text), equal: true });
  }
  while (unequal!.length < count) {
    const v = value(random);
    const gold = plain(v);
    const frame = pick(random, frameNames);
    if (random() < 0.5) {
      const [how, other] = pick(random, Object.entries(OTHERS));
      const w = other(v, random);
      if (!isApart(v, w)) continue;
      const [form, text] = write(w);
      unequal!.push({ form: `${form}; ${frame}; ${how}`, gold, response: FRAMES[frame]!(text), equal: false });
    } else {
      const w = value(random);
      if (random() < 0.3) {
        const [how, after] = pick(random, Object.entries(TAKEN_BACK));
        if (!isApart(v, w)) continue;
        const response = `The answer is ${pick(random, [plain(v), `\\boxed{${plain(v)}}`])}. ${after(plain(w))}`;
        unequal!.push({ form: how, gold, response, equal: false });
        continue;
      }
      const [how, spoil] = pick(random, Object.entries(SPOILED));
      if (!isApart(v, w)) continue;
      const text = spoil(plain(v), plain(w));
      unequal!.push({ form: `${how}; ${frame}`, gold, response: FRAMES[frame]!(text), equal: false });
    }
  }
  return { equal: equal!, unequal: unequal! };
}

/** Apart by more than the tolerance, and by other factors than 100, which a per cent sign may stand for. */
function isApart(a: Value, b: Value): boolean {
  const [x, y] = [a.top / a.bottom, b.top / b.bottom];
  return b.thousandths > 0 && [1, 100, 0.01].every(factor => Math.abs(x * factor - y) > 0.004 * x * factor);
}
