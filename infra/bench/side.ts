/** One side of a row: a process of its own that does the row's work whenever it is asked, and nothing in between. */

/** What a turn computed, by which sides can be told to have done the same. */
export interface Evidence {
  /** L2 norm of the gradient before clipping, where the work is deterministic. */
  gradNorm?: number | undefined;
  /** SHA-256 of the weights that a whole run ended with. */
  weights?: string | undefined;
}

export interface Repetition extends Evidence {
  seconds: number;
  /** Most memory its processes held together, where they are several and do not outlive the turn. */
  peakBytes?: number;
}

export interface Side {
  /** Of the process that does the work, or has it done by processes that it starts. */
  pid: number;
  versions: Record<string, string>;
  repeat(): Promise<Repetition>;
  close(): Promise<void>;
}

/** The work cannot be done here for a reason that is no mistake (no compiler, say): shown in the table instead of a time. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}
