/** What the measurements of speed are told. */
export interface SpeedOptions {
  /** For all that is written. */
  folder: string;
  /** Of the environment with requirements.txt. */
  python: string;
  port: number;
  /** Size of the large folder; 0 for none. */
  gib: number;
  /** Pairs of tiny runs; 0 for none. */
  runs: number;
  /** Whether the requests of one more are counted. */
  requests: boolean;
  /** Tiny as it is; else with fewer steps and items. */
  whole: boolean;
  say: (line: string) => void;
}
