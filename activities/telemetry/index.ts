/** What a worker tells of itself: metrics of its steps, engine, store and judge. */
export { engineProcesses, measuredEngine } from './measured-engine.js';
export { measuredRewarder } from './measured-rewarder.js';
export { measuredStore } from './measured-store.js';
export { METRICS } from './metrics.js';
export { metersObserver, type Observer, type StepPart, timed } from './observer.js';
export { type Meters, openMeters } from './registry.js';
