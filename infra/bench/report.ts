/** The engine's table, and what is to be said beside it. */
import type { RowChange } from './comparison.js';
import { differenceOf } from './evidence.js';
import { PEERS } from './peers.js';
import { AGAINST, type Measurement, type Result, type RowResult } from './result.js';
import { type Bar, ROWS, type Row } from './rows.js';
import { spread } from './statistics.js';
import type { Table } from './table.js';

/** Nothing to say in this place. */
const NONE = '—';

/** Load, as a share of a core, from which it is said that a measurement was disturbed. */
const DISTURBING = 0.1;

const DISTURBANCES: {
  of: (side: Measurement) => number | null;
  say: (row: string, side: string, load: string) => string;
}[] = [
  {
    of: ({ idleLoad }) => idleLoad,
    say: (row, side, load) => `${row}: ${side} kept ${load} of a core busy while it was another's turn`,
  },
  {
    // Threads that wait for each other in loops, as OpenMP's do, slow down out of all proportion on busy cores.
    of: ({ foreignLoad }) => foreignLoad,
    say: (row, side, load) =>
      `${row}: DISTURBED: other programs kept ${load} of a core busy during the turns of ${side}`,
  },
];

const COLUMNS = [
  'row',
  'work',
  'ours',
  '±',
  'peer',
  'time',
  'ratio',
  'bar',
  'met',
  'computes',
  'our peak',
  'its peak',
  'ours / its',
];

/** A line for each row and peer; columns that would be empty are left out. */
export function resultTable(result: Result): Table {
  const lines = ROWS.flatMap(row => (result.rows[row.id] ? linesOf(row, result) : []));
  const used = COLUMNS.map((_, c) => lines.some(line => line[c] !== NONE));
  const pick = (cells: string[]) => cells.filter((_, c) => used[c]);
  return { columns: pick(COLUMNS), lines: lines.map(pick) };
}

function linesOf(row: Row, result: Result): string[][] {
  const { ours, failure } = result.rows[row.id]!;
  const { id, title } = row;
  const nothing = (count: number) => Array<string>(count).fill(NONE);
  if (!ours) return [[id, title, `failed: ${firstLine(failure ?? 'no measurement')}`, ...nothing(COLUMNS.length - 3)]];
  const mine = [id, title, seconds(ours.median), ours.seconds.length > 1 ? percent(spread(ours.seconds)) : NONE];
  const compared = comparedWith(row, result);
  if (compared.length === 0) {
    const { bar, met } = limitOf(row, ours, result);
    return [[...mine, ...nothing(3), bar, met, NONE, memory(ours.peakBytes), ...nothing(2)]];
  }
  return compared.map(({ title, bar, theirs }) => {
    if (typeof theirs === 'string')
      return [
        ...mine,
        title,
        firstLine(theirs),
        NONE,
        barOf(bar),
        ...nothing(2),
        memory(ours.peakBytes),
        ...nothing(2),
      ];
    const share = ours.peakBytes === null || theirs.peakBytes === null ? null : ours.peakBytes / theirs.peakBytes;
    const difference = differenceOf(ours, theirs);
    return [
      ...mine,
      title,
      seconds(theirs.median),
      times(theirs.median / ours.median),
      barOf(bar),
      met(theirs.median / ours.median, share, bar),
      difference === undefined ? NONE : (difference?.short ?? 'the same'),
      memory(ours.peakBytes),
      memory(theirs.peakBytes),
      share === null ? NONE : times(share),
    ];
  });
}

interface Compared {
  title: string;
  bar: Bar;
  theirs: RowResult['peers'][string];
}

/** The row's peers that the result has, and the other build. */
function comparedWith({ id, peers }: Row, { rows, against }: Result): Compared[] {
  const found = rows[id]!.peers;
  const candidates = [
    ...peers.map(({ peer, ...bar }) => ({ title: PEERS[peer].title, bar, theirs: found[peer] })),
    { title: `build of ${against}`, bar: {}, theirs: found[AGAINST] },
  ];
  return candidates.filter((candidate): candidate is Compared => candidate.theirs !== undefined);
}

const barOf = ({ faster, memory }: Bar): string =>
  faster === undefined
    ? NONE
    : `at least ${number(faster)}x${memory === undefined ? '' : `, memory at most ${times(memory)}`}`;

function met(ratio: number, share: number | null, { faster, memory }: Bar): string {
  if (faster === undefined) return NONE;
  if (ratio < faster) return 'no';
  if (memory === undefined) return 'yes';
  return share === null ? NONE : share <= memory ? 'yes' : 'no';
}

/** The bar of a row that has no peer, and whether it is met. */
function limitOf(
  { peakAtMost, growth }: Row,
  { peakBytes }: Measurement,
  result: Result,
): { bar: string; met: string } {
  if (peakAtMost !== undefined)
    return {
      bar: `peak at most ${memory(peakAtMost)}`,
      met: peakBytes === null ? NONE : peakBytes <= peakAtMost ? 'yes' : 'no',
    };
  if (growth === undefined) return { bar: NONE, met: NONE };
  const longer = result.rows[growth.of]?.ours?.peakBytes;
  const bar = `peak grows at most ${times(growth.atMost)}`;
  if (peakBytes === null || !longer) return { bar, met: NONE };
  return { bar, met: `${longer / peakBytes <= growth.atMost ? 'yes' : 'no'}: ${times(longer / peakBytes)}` };
}

/** This run against a stored one. */
export function comparisonTable(changes: readonly RowChange[]): Table {
  return {
    columns: ['row', 'time now / then', 'noise', 'verdict', 'peak now / then'],
    lines: changes.map(({ id, ratio, noise, verdict, memory }) => [
      id,
      times(ratio),
      percent(noise),
      verdict === 'same' ? 'within noise' : verdict.toUpperCase(),
      memory === null ? NONE : times(memory),
    ]),
  };
}

/** Where and with what it was measured, and what may have disturbed it. */
export function remarks({ machine, threads, versions, calibration, rows, version }: Result): string[] {
  const { processor, cores, memoryBytes, platform } = machine;
  const used = Object.entries(versions).map(([name, value]) => `${name} ${value}`);
  const different = Object.entries(rows).flatMap(([id, { ours, peers }]) =>
    Object.entries(peers).flatMap(([name, theirs]) => {
      const difference = ours && typeof theirs === 'object' ? differenceOf(ours, theirs) : null;
      return difference ? [`${id}: ${name} computes ${difference.long}`] : [];
    }),
  );
  const disturbed = Object.entries(rows).flatMap(([id, { ours, peers }]) =>
    Object.entries({ ours, ...peers }).flatMap(([name, side]) =>
      typeof side === 'object'
        ? DISTURBANCES.filter(({ of }) => (of(side) ?? 0) > DISTURBING).map(({ of, say }) =>
            say(id, name, percent(of(side)!)),
          )
        : [],
    ),
  );
  return [
    `longhaul ${version} in 32-bit floats; ${threads} threads each; ${used.join(', ')}`,
    `${processor}, ${cores} cores, ${memory(memoryBytes)}, ${platform}; a 1024 x 1024 matrix product takes ` +
      `${seconds(calibration.median)} (± ${percent(spread(calibration.seconds))})`,
    ...different,
    ...disturbed,
  ];
}

const seconds = (value: number): string => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toPrecision(3)} s`);
const times = (value: number): string => `${number(Number(value.toFixed(2)))}x`;
const percent = (value: number): string => `${Math.round(value * 100)} %`;
const number = (value: number): string => String(value);
const firstLine = (text: string): string => text.split('\n')[0]!;

function memory(bytes: number | null): string {
  if (bytes === null) return NONE;
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
