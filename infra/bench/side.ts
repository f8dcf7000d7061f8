/** One side of a row: a process of its own that does the row's work whenever it is asked, and nothing in between. */

export interface Repetition {
  seconds: number;
  /** L2 norm of the gradient before clipping, where the work is deterministic: both sides must find the same. */
  gradNorm?: number;
}

export interface Side {
  /** Of the process that does the work. */
  pid: number;
  versions: Record<string, string>;
  repeat(): Promise<Repetition>;
  close(): Promise<void>;
}

/** The work cannot be done here for a reason that is no mistake (no compiler, say): shown in the table instead of a time. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}
