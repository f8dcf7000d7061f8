/** The account of a run's time as people read it. */
import type { Table } from '../table.js';
import type { OverheadResult } from './run.js';

const COLUMNS = ['activity', 'times', 'engine, judge', 'on the way', 'before', 'after', 'outside, each', 'of the run'];

/** A line for each activity, and one for all. */
export function overheadTable({ wall, busy, ending, activities }: OverheadResult): Table {
  const rows = [
    ...activities.map(({ activity, times, ...seconds }) => ({
      cells: [
        activity,
        String(times),
        ...[seconds.busy, seconds.onTheWay, seconds.before, seconds.after].map(inSeconds),
      ],
      outside: seconds.onTheWay + seconds.before + seconds.after,
      times,
    })),
    { cells: ['(the end)', '—', '—', inSeconds(ending), '—', '—'], outside: ending, times: 0 },
    { cells: ['all', '—', inSeconds(busy), '—', '—', '—'], outside: wall - busy, times: 0 },
  ];
  return {
    columns: COLUMNS,
    lines: rows.map(({ cells, outside, times }) => [
      ...cells,
      times === 0 ? '—' : `${Math.round((outside / times) * 1000)} ms`,
      percent(outside / wall),
    ]),
  };
}

export function overheadRemarks({ wall, busy, steps, sha256, foreignLoad }: OverheadResult): string[] {
  const outside = wall - busy;
  return [
    `${inSeconds(wall)} in all, ${inSeconds(outside)} outside engine and judge: ${percent(outside / wall)} ` +
      `(${Math.round((outside / steps) * 1000)} ms for each of ${steps} steps)`,
    `final weights ${sha256}`,
    ...(foreignLoad === null ? [] : [`other programs kept ${foreignLoad.toFixed(2)} cores busy meanwhile`]),
  ];
}

const inSeconds = (value: number): string => `${value.toFixed(2)} s`;
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
