/** Where work waits for workers. */

export const TASK_QUEUE = 'longhaul';

export const GPU_TASK_QUEUE = 'longhaul-gpu';

/** Who trains and samples: the worker itself, or a training service that it speaks to. */
export type EngineKind = 'onnx' | 'tinker';

/** Of the activities that need an engine. A queue for each kind, so that workers of both serve side by side. */
export const ENGINE_QUEUES: Record<EngineKind, string> = { onnx: GPU_TASK_QUEUE, tinker: 'longhaul-tinker' };

/** A worker silent for so long counts as dead: its work is given to another. */
export const HEARTBEAT_TIMEOUT_SECONDS = 10;
