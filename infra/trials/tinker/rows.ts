/** What a trial found out, a row a thing. */
import type { Ledger } from '../../chaos/ledger.js';

export interface Row {
  /** What was tried, or what one would expect. */
  what: string;
  /** What it has to come to. */
  bar: string;
  seen: string;
  holds: boolean;
}

export interface Found {
  rows: Row[];
  /** Without those of breaks in between. */
  seconds: number;
}

export interface Part extends Found {
  title: string;
  /** Day on which it was run. */
  date: string;
}

/** Whether a run's books are in order, and how long it took. */
export const inOrder = ({ steps, groups, responses, errors }: Ledger, took: string): Pick<Row, 'seen' | 'holds'> => ({
  seen: `${steps} steps, ${groups} groups, ${responses} responses; ${errors.length} lost, twice or out of place; ${took}`,
  holds: errors.length === 0 && steps > 0,
});
