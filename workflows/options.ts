/** How long each class of activity may take, how soon its silence counts as death, and how it is tried again. */
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import { ENGINE_QUEUES, type EngineKind, HEARTBEAT_TIMEOUT_SECONDS, TASK_QUEUE } from '../activities/contract/index.js';
import type { EngineActivities } from '../activities/index.js';

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

/** Sampling and gradients: a step or a block of steps, an evaluation set, after the rebuild of a lost policy where need be. */
const ENGINE: ActivityOptions = {
  ...COMMON,
  startToCloseTimeout: '1 day',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_SECONDS * 1000,
};

/** @param kind of engine that the run's spec names; runs of earlier versions had no choice */
export const engineActivities = (kind: EngineKind = 'onnx') =>
  proxyActivities<EngineActivities>({ ...ENGINE, taskQueue: ENGINE_QUEUES[kind] });

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
