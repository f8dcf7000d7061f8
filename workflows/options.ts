/** How long each class of activity may take, how soon its silence counts as death, and how it is tried again. */
import type { ActivityOptions } from '@temporalio/workflow';
import { ActivityCancellationType } from '@temporalio/workflow';
import { GPU_TASK_QUEUE, HEARTBEAT_TIMEOUT_SECONDS, TASK_QUEUE } from '../activities/contract/index.js';

/** Tried again until it works or fails for good: a worker, a disk or a server that is away comes back. */
const RETRY = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' } as const;

const COMMON = {
  retry: RETRY,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const;

/** Small files in, small files out. */
export const CONTROL: ActivityOptions = {
  ...COMMON,
  taskQueue: TASK_QUEUE,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_SECONDS * 1000,
};

/** Reading and tokenising whole data sets; asking judges. */
export const DATA: ActivityOptions = { ...CONTROL, startToCloseTimeout: '6 hours' };

/** Sampling: a step's rollouts, an evaluation set. */
export const ROLLOUT: ActivityOptions = {
  ...COMMON,
  taskQueue: GPU_TASK_QUEUE,
  startToCloseTimeout: '1 day',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_SECONDS * 1000,
};

/** Gradients: a step or a block of steps, after the rebuild of a lost policy where need be. */
export const GRADIENT: ActivityOptions = ROLLOUT;

/** Trackers kept up with a run, for as long as it goes on: whatever they do is met inside the activity. */
export const EXPORT: ActivityOptions = { ...CONTROL, startToCloseTimeout: '30 days' };

/** What a tracker that was away at the end of a run still lacks: it has a day to come back. */
export const EXPORT_REST: ActivityOptions = { ...EXPORT, scheduleToCloseTimeout: '1 day' };

/** Telling somebody else's server: tried for a while, since no result waits for it. */
export const NOTIFICATION: ActivityOptions = {
  ...CONTROL,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '15 minutes',
  retry: { ...RETRY, maximumAttempts: 6 },
};
