/** How far an activity is, told to its own workflow: what a query can answer while the activity runs. */
import { Context } from '@temporalio/activity';

/** The signal by which an evaluation hears of it. */
export const EVALUATED = 'evaluated';

/** Reports of one set: enough for people who watch, few enough for the workflow's history. */
const REPORTS = 50;

/**
 * Says how many of `total` items are done, every fiftieth of them; of a shard, how many of its own. Nothing depends on whether it arrives: the workflow may
 * have ended, and tests may have none.
 */
export function progressReporter(set: string, total: number, shard?: number): (done: number) => void {
  const context = Context.current();
  let told = -1;
  return done => {
    const slot = Math.floor((done * REPORTS) / total);
    if (slot === told) return;
    told = slot;
    tell(context, shard === undefined ? [set, done] : [set, done, shard]).catch((error: unknown) =>
      context.log.debug('A progress report did not arrive', { error: String(error) }),
    );
  };
}

async function tell(context: Context, news: (string | number)[]): Promise<void> {
  const { workflowId, runId } = context.info.workflowExecution!;
  await context.client.workflow.getHandle(workflowId, runId).signal(EVALUATED, ...news);
}
