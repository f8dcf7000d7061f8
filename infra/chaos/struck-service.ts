/** A training service beside the cluster, as the harness can strike it. */
export interface StruckService {
  /** Ends its processes at once. */
  kill(): Promise<void>;
  /** Ends the one that computes; the others follow by themselves. */
  killEngine(): Promise<void>;
  /** On what it kept on its disk. */
  start(): Promise<void>;
  /** The next so many calls are done, and their answers get lost. */
  loseAnswers(count: number): void;
  /** The next so many promises are forgotten, as it says. */
  forgetPromises(count: number): void;
}
