/** What a worker with an engine takes: one activity at a time, at the task queue of its kind of engine. */
import { ENGINE_QUEUES, type EngineKind } from '../activities/contract/index.js';
import type { EngineDependencies } from '../activities/dependencies.js';
import { createEngineActivities } from '../activities/index.js';
import { handOn } from './hand-on.js';
import type { Work } from './work.js';

export const engineWork = (kind: EngineKind, dependencies: EngineDependencies): Work => ({
  taskQueue: ENGINE_QUEUES[kind],
  maxConcurrentActivityTaskExecutions: 1,
  activities: createEngineActivities({ ...dependencies, handOn }),
});
