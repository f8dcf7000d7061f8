/** What a trial found out, a row a thing. */

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
