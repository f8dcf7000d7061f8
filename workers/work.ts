/** What a worker takes from its task queue, how much of it at once, and what is laid around it. */
import type { WorkerOptions } from '@temporalio/worker';

export type Work = Pick<
  WorkerOptions,
  'taskQueue' | 'activities' | 'workflowBundle' | 'maxConcurrentActivityTaskExecutions' | 'sinks'
> & { interceptors?: Pick<NonNullable<WorkerOptions['interceptors']>, 'activity' | 'client'> };
