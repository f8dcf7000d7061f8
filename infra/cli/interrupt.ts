/** Ctrl-C and its kin, and a reader of our output that went away: the first asks for an orderly end, the next ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What shells report for a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

export interface Interrupt {
  /** Aborted by the first of them. */
  signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose(): void;
}

/** @param again called on every signal after the first */
export function onInterrupt(again: () => void): Interrupt {
  const controller = new AbortController();
  const handler = () => (controller.signal.aborted ? again() : controller.abort());
  for (const name of SIGNALS) process.on(name, handler);
  // `npm start | head`: without this Node would fall over where it stands. Each line after the first fails likewise.
  const unread = () => controller.abort();
  for (const output of [process.stdout, process.stderr]) output.on('error', unread);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, handler);
      for (const output of [process.stdout, process.stderr]) output.off('error', unread);
    },
  };
}
