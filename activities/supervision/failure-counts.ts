/** How often activities failed on this worker. */
import type { Info } from '@temporalio/activity';

const COUNTED_ACTIVITIES = 1000;
const keyOf = ({ workflowExecution, activityId }: Info) => `${workflowExecution?.runId}/${activityId}`;

/**
 * Failures that pass, by activity. The server's count of attempts says nothing of them: it counts a full disk's tries, and
 * what was handed on.
 */
export class FailureCounts {
  readonly #counts = new Map<string, number>();

  /** @returns how many there are now of the activity */
  add(info: Info): number {
    const key = keyOf(info);
    const count = (this.#counts.get(key) ?? 0) + 1;
    // The longest without one go first: most went on elsewhere.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > COUNTED_ACTIVITIES) this.#counts.delete(this.#counts.keys().next().value!);
    return count;
  }

  forget(info: Info): void {
    this.#counts.delete(keyOf(info));
  }
}
