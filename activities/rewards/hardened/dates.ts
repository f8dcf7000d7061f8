/** Dates as people write them in English: "May 3, 1987", "3rd of May 1987", "1987-05-03", "May 1987". */
import { folded } from '../normal-text.js';

export interface CalendarDate {
  year: number | null;
  month: number;
  day: number | null;
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october']
  .concat(['november', 'december'])
  .flatMap((name, i) =>
    [name, name.slice(0, 3), ...(name === 'september' ? ['sept'] : [])].map(n => [n, i + 1] as const),
  );
const monthNamed = new Map(MONTHS);
const MONTH = `(${[...monthNamed.keys()].sort((a, b) => b.length - a.length).join('|')})\\.?`;
const WEEKDAY = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day /;

type Part = 'year' | 'month' | 'day';

/** The parts in the order in which the pattern finds them. */
const FORMS: readonly (readonly [RegExp, readonly Part[]])[] = [
  [/^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/, ['year', 'month', 'day']],
  [new RegExp(`^${MONTH} (\\d{1,2}) (\\d{4})$`), ['month', 'day', 'year']],
  [new RegExp(`^(\\d{1,2}) ${MONTH} (\\d{4})$`), ['day', 'month', 'year']],
  [new RegExp(`^(\\d{4}) ${MONTH} (\\d{1,2})$`), ['year', 'month', 'day']],
  [new RegExp(`^${MONTH} (\\d{4})$`), ['month', 'year']],
  [new RegExp(`^${MONTH} (\\d{1,2})$`), ['month', 'day']],
  [new RegExp(`^(\\d{1,2}) ${MONTH}$`), ['day', 'month']],
];

/** 25/12/1987: which number is the month shows only where the other cannot be, or both are the same. */
const NUMERIC = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$/;

/** Longer texts are no date. */
const MAX_LENGTH = 60;

/** The date that a whole text is; null for anything else, a year alone, and dates that could be two (03/05/1987). */
export function readDate(text: string): CalendarDate | null {
  if (text.length > MAX_LENGTH) return null;
  const plain = folded(text)
    .replaceAll(/(?<=\d)(?:st|nd|rd|th)\b/g, '')
    .replaceAll(/[,"'()]|\b(?:the|of|on)\b/g, ' ')
    .replaceAll(/(?<=[a-z])[-/]|[-/](?=[a-z])/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .replace(WEEKDAY, '');
  const numeric = NUMERIC.exec(plain);
  if (numeric) {
    const [a, b, year] = numeric.slice(1).map(Number) as [number, number, number];
    if (a <= 12 && b <= 12 && a !== b) return null;
    return checked({ year, month: Math.min(a, b), day: Math.max(a, b) });
  }
  for (const [pattern, parts] of FORMS) {
    const match = pattern.exec(plain);
    if (!match) continue;
    const date: CalendarDate = { year: null, month: 0, day: null };
    for (const [i, part] of parts.entries()) date[part] = monthNamed.get(match[i + 1]!) ?? Number(match[i + 1]);
    return checked(date);
  }
  return null;
}

const checked = (date: CalendarDate): CalendarDate | null =>
  date.month >= 1 && date.month <= 12 && (date.day === null || (date.day >= 1 && date.day <= 31)) ? date : null;

const two = (n: number): string => String(n).padStart(2, '0');

/** As ISO 8601 has it; without a year, --05-03. */
export const shownDate = ({ year, month, day }: CalendarDate): string =>
  `${year === null ? '--' : `${year}-`}${two(month)}${day === null ? '' : `-${two(day)}`}`;
