/** Where work waits for workers. */

export const TASK_QUEUE = 'longhaul';

export const GPU_TASK_QUEUE = 'longhaul-gpu';

/** A worker silent for so long counts as dead: its work is given to another. */
export const HEARTBEAT_TIMEOUT_SECONDS = 10;
