/** Ctrl-C and its kin: the first asks for an orderly end, the second ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What shells report for a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

export interface Interrupt {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose(): void;
}

/** @param again called on every signal after the first */
export function onInterrupt(again: () => void): Interrupt {
  const controller = new AbortController();
  const handler = () => (controller.signal.aborted ? again() : controller.abort());
  for (const name of SIGNALS) process.on(name, handler);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, handler);
    },
  };
}
