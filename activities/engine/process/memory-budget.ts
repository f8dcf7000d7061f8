/**
 * How much an engine may keep in activations, made smaller when it ran out of memory. The results stay what they are: a
 * smaller budget cuts the model into more segments, which are computed twice (segments.ts), and changes no order of sums.
 */

/** A sixteenth of what was allowed at first: if that is too much, activations are not what fills the memory. */
const HALVINGS = 4;
/** A machine that is short of memory ends processes without a word, or lets them fall. Once may be chance; twice at the same work is not. */
const DEATHS = 2;

export class MemoryBudget {
  private halvings = 0;
  private deaths: { operation: string; times: number } | null = null;

  /** @param bytes of the first engine */
  constructor(private readonly bytes: number) {}

  get current(): number {
    return Math.floor(this.bytes / 2 ** this.halvings);
  }

  /** The engine could not get the memory it asked for. @returns whether the next one has less to ask for */
  ranOut(): boolean {
    if (this.halvings === HALVINGS) return false;
    this.halvings++;
    return true;
  }

  /** The engine's process was ended by a signal. @returns whether the next one has less to ask for */
  died(operation: string): boolean {
    const times = this.deaths?.operation === operation ? this.deaths.times + 1 : 1;
    this.deaths = { operation, times };
    return times % DEATHS === 0 && this.ranOut();
  }

  finished(operation: string): void {
    if (this.deaths?.operation === operation) this.deaths = null;
  }
}

/** What onnxruntime, C++ and V8 say when an allocation failed. */
const MESSAGES =
  /failed to allocate memory|bad_alloc|bad allocation|array buffer allocation failed|out of memory|cannot allocate memory/i;

export const isOutOfMemory = (error: unknown): boolean => error instanceof Error && MESSAGES.test(error.message);

export const inMiB = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
