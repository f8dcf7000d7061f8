import type { Supervision } from '../../activities/supervision/supervision.js';

/** Of work that nobody watches and nothing stops. */
export const unsupervised = (): Supervision => ({
  call: { signal: new AbortController().signal },
  note: () => {},
  troubles: () => {},
  check: () => {},
});
