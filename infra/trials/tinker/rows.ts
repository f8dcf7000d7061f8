/** What a trial found out, a row a thing. */

export interface Row {
  /** What was tried, or what one would expect. */
  what: string;
  /** What it has to come to. */
  bar: string;
  seen: string;
  holds: boolean;
}

export interface Part {
  title: string;
  rows: Row[];
  seconds: number;
  /** Day on which it was run. */
  date: string;
}
