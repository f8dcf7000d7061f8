/** What stands under the table: marks explained, what is missing, and the numbers that have no column. */
import type { Comparison } from '../../contract/index.js';
import {
  BENCHMARKS,
  isBenchmark,
  LATER_SOURCE,
  OFFICIAL_METRICS,
  PAPER_BENCHMARKS,
  PUBLISHED_SOURCE,
} from '../benchmarks.js';
import { MARKS } from './marks.js';
import type { ShownCell, ShownRow, Table } from './shown-table.js';

export function notesOn(table: Omit<Table, 'notes'>, leftOut: number): string[] {
  return [...markNotes(table, leftOut), ...table.rows.flatMap(row => rowNotes(row, table))];
}

function markNotes({ rows, columns, metric }: Omit<Table, 'notes'>, leftOut: number): string[] {
  const cells = rows.flatMap(row => row.cells.filter(cell => cell !== null));
  const compared = [...cells, ...rows.map(row => row.mean)].flatMap(one => one?.comparison ?? []);
  const unpaired = unpairedNames(rows, compared);
  const baseline = rows.find(row => row.baseline);
  const notes: [boolean, string][] = [
    [
      rows.some(row => row.kind === 'published' && !row.protocol),
      `${MARKS.published} published in ${PUBLISHED_SOURCE}; its intervals are computed from the numbers of items.`,
    ],
    [
      rows.some(row => row.protocol === 'later'),
      `${MARKS.later} published in ${LATER_SOURCE}, by a later protocol: on other items and lengths than the other rows, so they are compared with none. ` +
        'LBV1-QA is the mean of the five question answering sets, MRCR is up to 128K tokens.',
    ],
    ...columns.map(({ benchmark, title }): [boolean, string] => [
      metric === 'reward' && isBenchmark(benchmark) && BENCHMARKS[benchmark].score === 'official',
      `${title}: its official metric, ${officialName(benchmark)}.`,
    ]),
    [leftOut > 0, `Published rows (${leftOut}) are max(rule, judge), which is no official metric: they are left out.`],
    [
      metric === 'official' && cells.some(cell => cell.metric === 'reward'),
      `${MARKS.noMetric} ${BENCHMARKS.frames.title} has no official metric by rule, its authors have a language model rate the ` +
        'answers: this is max(rule, judge), and not in the mean.',
    ],
    [
      compared.length > 0,
      `${MARKS.above} and ${MARKS.below}: above and below ${baseline?.label} by more than noise (95 %); ${MARKS.within}: within it.`,
    ],
    [
      unpaired.length > 0,
      `Compared as independent samples, the items being others or not known: ${unpaired.join(', ')}. ` +
        'That finds less than the same items would.',
    ],
  ];
  return notes.filter(([applies]) => applies).map(([, note]) => note);
}

const officialName = (benchmark: string): string =>
  isBenchmark(benchmark) ? OFFICIAL_METRICS[BENCHMARKS[benchmark].official[0]!] : benchmark;

/** Rows that were not compared item by item; the published ones by one name. */
function unpairedNames(rows: Table['rows'], compared: readonly Comparison[]): string[] {
  const labels = new Set(compared.filter(one => one.kind === 'unpaired').map(one => one.row));
  const found = rows.filter(row => labels.has(row.label));
  const published = found.some(row => row.kind === 'published') ? ['the published rows'] : [];
  return [...found.filter(row => row.kind === 'measured').map(row => row.label), ...published];
}

function rowNotes(row: ShownRow, { columns, metric }: Omit<Table, 'notes'>): string[] {
  if (row.kind === 'published') return [];
  const parts = row.cells.flatMap((cell, c) => (cell ? cellParts(cell, columns[c]!.title, metric) : []));
  const means = row.mean && row.mean.of < PAPER_BENCHMARKS.length ? [`mean over ${row.mean.of} benchmarks of 7`] : [];
  return [...means, ...parts].map(part => `${row.label}: ${part}.`);
}

function cellParts(cell: ShownCell, title: string, metric: Table['metric']): string[] {
  const many = cell.meanAt > 1 ? [`mean@${cell.meanAt}`] : [];
  const passes = Object.entries(cell.passAt).map(([k, { score }]) => `pass@${k} ${score.toFixed(1)}`);
  const official = Object.entries(cell.official).map(([name, { score }]) => `${name} ${score.toFixed(1)}`);
  const beside = [...many, ...passes, ...(metric === 'reward' ? official : [])];
  const { items, unscored, unanswered = 0, shortened, memory } = cell;
  const without = (count: number, why: string) =>
    count > 0 ? [`${count} of ${items + unscored + unanswered} items ${why}`] : [];
  const readInPart = shortened
    ? without(
        shortened.items,
        `read in part: the endpoint counts ${number(shortened.counted)} tokens where ${number(shortened.sent)} were sent, so its context is smaller`,
      )
    : [];
  const byMemory = memory
    ? [
        `read in chunks of ${number(memory.chunkTokens)} tokens into a memory of ${number(memory.memoryTokens)}: ${number(memory.calls)} calls, ` +
          `${number(memory.callsAtMost)} for an answer at most; ${number(memory.sentTokens)} tokens sent, ${number(memory.answerTokens)} written`,
      ]
    : [];
  const all = [
    ...beside,
    ...byMemory,
    ...without(unscored, 'unscored'),
    ...without(unanswered, 'unanswered'),
    ...readInPart,
  ];
  return all.length > 0 ? [`${title} ${all.join(', ')}`] : [];
}

const number = (count: number): string => count.toLocaleString('en-US');
