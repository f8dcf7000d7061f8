/** Apart from the check itself, so that naming it does not load the worker's native library. */

/** A run under way, and what of its spec the service has not. */
export interface UnservedRun {
  run: string;
  issues: { path: string; problem: string }[];
}

/** Runs under way that the service of this worker cannot go on with. */
export class UnservedRunsError extends Error {
  override readonly name = 'UnservedRunsError';
  constructor(runs: readonly UnservedRun[], url: string) {
    const lines = runs.flatMap(({ run, issues }) =>
      issues.map(({ path, problem }) => `  ${run}: ${path}: ${problem}\n`),
    );
    super(
      `The training service at ${url} lacks what ${runs.length === 1 ? 'a run' : `${runs.length} runs`} under way ` +
        `${runs.length === 1 ? 'needs' : 'need'}:\n${lines.join('')}No work was taken. Start the service with it, name ` +
        'another with --engine-url, or end the run and start one with another spec:\n' +
        `  temporal workflow terminate --workflow-id ${runs[0]?.run}`,
    );
  }
}
