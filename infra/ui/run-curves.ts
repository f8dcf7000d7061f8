/** A run's curves over all its stages, thin enough to be sent: places on the x axis are steps, counted from 1 on. */
import type { StageAttempt, Store } from '../../activities/store/index.js';
import { CURVES, LOGGED, type Series } from './curves.js';
import { Gathering } from './gathering.js';
import { readStep, type StepReading } from './readings.js';
import { type StepRow, type StepRows, spread } from './step-rows.js';
import { thinned } from './thinning.js';

/** Points of a curve, about. */
const MOST_POINTS = 500;
/** Of an open stage so many steps are read for one answer; the others follow. */
const MOST_ROWS = 200;
/** Steps whose rollouts are read: on a screen no more can be told apart. */
const MOST_READINGS = 240;

export interface PlacedStage {
  stage: StageAttempt;
  /** Places of its first and last logged step; `to` is before `from` where there is none. Step 1 is at `from`. */
  from: number;
  to: number;
}

export interface DrawnCurve {
  part: string;
  title: string;
  help: string;
  /** Places. */
  x: number[];
  /** `read` ones have numbers at some of the places. */
  series: { label: string; values: (number | null)[]; read: boolean; band: boolean }[];
}

export interface RunCurves {
  stages: PlacedStage[];
  curves: DrawnCurve[];
  /** When steps were logged: milliseconds since 1970, in order. */
  times: { place: number; time: number }[];
  /** Files of steps that were damaged and made again, as far as they are read. */
  repaired: { place: number; file: string }[];
  /** Steps that are still to be read. */
  missing: number;
}

interface Placed {
  place: number;
  row: StepRow;
}

export class CurveReader {
  readonly #readings: Gathering<StepReading>;

  constructor(
    store: Store,
    readonly rows: StepRows,
  ) {
    this.#readings = new Gathering(store, readStep);
  }

  /**
   * @param stages in order
   * @param problem told of each step that cannot be read; the others are given
   * @param all every step that is logged, not only as many as are seen
   */
  async of(
    stages: readonly StageAttempt[],
    problem: (message: string) => void,
    { all = false }: { all?: boolean } = {},
  ): Promise<RunCurves> {
    const placed: PlacedStage[] = [];
    const points: Placed[] = [];
    let missing = 0;
    for (const stage of stages) {
      const { rows, unread } = await this.rows.of(stage, problem, all ? undefined : MOST_ROWS);
      const from = (placed.at(-1)?.to ?? 0) + 1;
      for (const row of rows) points.push({ place: from - 1 + row.step, row });
      placed.push({ stage, from, to: from - 1 + (rows.at(-1)?.step ?? 0) });
      missing += unread;
    }
    const readings = await this.#read(placed, points);
    const times = [...readings.known]
      .flatMap(([place, { time }]) => (time === null ? [] : [{ place, time }]))
      .sort((a, b) => a.place - b.place);
    return {
      stages: placed,
      curves: curvesOf(points, readings.known, all),
      times: inOrder(times),
      repaired: [...readings.known].flatMap(([place, { repaired }]) => repaired.map(file => ({ place, file }))),
      missing: missing + readings.missing,
    };
  }

  async #read(placed: readonly PlacedStage[], points: readonly Placed[]) {
    const chosen = new Set(spread(points, MOST_READINGS).map(({ place }) => place));
    const known = new Map<number, StepReading>();
    let missing = 0;
    for (const { stage, from, to } of placed) {
      const steps = [...chosen].flatMap(place => (place >= from && place <= to ? [place - from + 1] : []));
      const gathered = await this.#readings.of(stage, steps);
      for (const [step, reading] of gathered.known) known.set(from - 1 + step, reading);
      missing += gathered.missing;
    }
    return { known, missing };
  }
}

/** Without those that the store's clock puts before an earlier one, as in a copy. */
function inOrder(times: RunCurves['times']): RunCurves['times'] {
  let last = Number.NEGATIVE_INFINITY;
  return times.every(({ time }) => {
    const fits = time >= last;
    last = time;
    return fits;
  })
    ? times
    : [];
}

function curvesOf(points: readonly Placed[], readings: ReadonlyMap<number, StepReading>, all: boolean): DrawnCurve[] {
  const rowAt = new Map(points.map(({ place, row }) => [place, row]));
  return CURVES.flatMap(({ part, title, help, series }) => {
    const columns = series.flatMap(one => {
      const column = columnOf(one);
      return column === null ? [] : [points.map(({ row }) => row.values[column]!)];
    });
    const kept = all
      ? points.map(({ place }) => place)
      : thinned(columns, columns.length === 0 ? 0 : points.length, MOST_POINTS).map(k => points[k]!.place);
    const read = series.some(one => 'read' in one) ? [...readings.keys()] : [];
    const x = [...new Set([...kept, ...read])].sort((a, b) => a - b);
    const drawn = series.map(one => ({
      label: one.label,
      values: x.map(place => numberOf(one, rowAt.get(place), readings.get(place))),
      read: 'read' in one,
      band: 'read' in one && one.as === 'band',
    }));
    const told = drawn.filter(({ values }) => values.some(value => value !== null));
    return told.some(({ band }) => !band) ? [{ part, title, help, x, series: told }] : [];
  });
}

const columnOf = (one: Series): number | null =>
  'logged' in one ? LOGGED.find(({ of }) => of === one.logged)!.column : null;

function numberOf(one: Series, row: StepRow | undefined, reading: StepReading | undefined): number | null {
  if ('read' in one) return reading ? (one.read(reading) ?? null) : null;
  const value = row?.values[columnOf(one)!];
  return value === undefined || Number.isNaN(value) ? null : value;
}
