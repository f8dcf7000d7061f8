/** Studies: what goes into the workflow `study`, how far it is, and what comes out. */

/** `study` takes a study's spec as users write it, its base a preset or a whole spec. Validated by the first activity. */
export type StudySpecInput = { [key: string]: unknown };

/** A variant with a seed: a run. */
export interface Cell {
  run: string;
  variant: string;
  seed: number;
}

export interface CellProgress extends Cell {
  state: 'waiting' | 'running' | 'done' | 'failed';
  error: string | null;
}

export type StudyState = 'preparing' | 'running' | 'paused' | 'reporting' | 'done';

/** Answer of a study to the query `progress`. */
export interface StudyProgress {
  study: string;
  state: StudyState;
  cells: CellProgress[];
  /** Store uri of the report, once there is one. */
  report: string | null;
}

/** Whether the interval of a difference is above zero, below it, or has it inside. */
export type Verdict = 'shown' | 'refuted' | 'open';

export interface StudyResult {
  study: string;
  /** Store uri of the report, and its hash. */
  report: { uri: string; sha256: string };
  hypotheses: { claim: string; verdict: Verdict }[];
  /** Runs that did not end well, with why. Started again, the study tries them again. */
  failed: { run: string; error: string }[];
}
