/** Apart from the check itself, so that naming it does not load the worker's native library. */

/** Runs under way that this version cannot go on with. */
export class IncompatibleRunsError extends Error {
  override readonly name = 'IncompatibleRunsError';
  constructor(runs: { workflowId: string; reason: string }[]) {
    const [{ workflowId } = { workflowId: '' }] = runs;
    super(
      `This version's workflows cannot go on with ${runs.length === 1 ? 'a workflow' : `${runs.length} workflows`} under way:\n` +
        runs.map(run => `  ${run.workflowId}: ${run.reason}\n`).join('') +
        'No work was taken. Either finish them with the version that began them, or end each run and start it again under ' +
        'its name with the same spec, which goes on from everything it has published:\n' +
        `  temporal workflow terminate --workflow-id ${workflowId.split('/')[0]} --reason upgrade`,
    );
  }
}
