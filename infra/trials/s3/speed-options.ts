/** What the measurements of speed are told. */
export interface SpeedOptions {
  /** For all that is written. */
  folder: string;
  /** Of the environment with requirements.txt. */
  python: string;
  port: number;
  gib: number;
  /** Pairs of tiny runs. */
  runs: number;
  say: (line: string) => void;
}
