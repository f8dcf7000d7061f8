/** A stage that an earlier version began goes on under this one, and comes to the same bits. */
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { createControlActivities } from '../../activities/index.js';
import { curriculum } from '../../workflows/index.js';
import { smallRun } from '../support/small-run.js';
import { startServer, startWorkers } from '../support/temporal-server.js';

test('with the settings that version 0.2 gave its stages', async () => {
  const server = await startServer();
  const small = await smallRun();
  const { workflow } = server.env.client;
  const run = async (workflowId: string) => {
    const { policy } = await workflow.execute(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] });
    const { events } = await workflow.getHandle(`${workflowId}/phase-2/1`).fetchHistory();
    const activities = events!.map(event => event.activityTaskScheduledEventAttributes?.activityType?.name);
    return { policy, activities: new Set(activities) };
  };
  try {
    let stop = await startWorkers(server, small);
    const today = await run('today');
    await stop();

    const { claimAttempt } = createControlActivities(small.deps);
    stop = await startWorkers(server, small, undefined, {
      claimAttempt: async input => {
        const { blockSeconds: _, rl, ...settings } = await claimAttempt(input);
        if (!rl) return { ...settings, rl };
        const { ruleAlone: __, ...rest } = rl;
        return { ...settings, rl: rest };
      },
    });
    const earlier = await run('earlier');
    await stop();

    expect(earlier.policy.name).toBe(today.policy.name);
    expect(earlier.policy.sha256).toBe(today.policy.sha256);
    expect(today.activities).toContain('trainSteps');
    expect(earlier.activities).not.toContain('trainSteps');
    expect(earlier.activities).toContain('update');
  } finally {
    await server.env.teardown();
    await small.remove();
  }
}, 60_000);
