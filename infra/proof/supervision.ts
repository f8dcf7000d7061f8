/** For work outside of a worker, which nobody else looks after. */
import type { Supervision } from '../../activities/supervision/index.js';

/** @param note told what is done now, where it takes long */
export const supervisionOf = (signal: AbortSignal, note: (text: string) => void = () => {}): Supervision => ({
  call: { signal },
  note,
  troubles: () => {},
  check: () => signal.throwIfAborted(),
});
