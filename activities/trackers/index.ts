/** Trackers of others: TensorBoard, MLflow, trackio, JSON lines, each given every point of a run once. */
export { CatchUp, type CaughtUp } from './catch-up.js';
export { type ExportedMetrics, type ExportMetricsInput, exportMetrics, LOOK_MS } from './export-metrics.js';
export { MLFLOW_VARIABLES } from './mlflow.js';
export { readPoint } from './points.js';
export { RunReader } from './run-reader.js';
export { OtherRunError, StrangeFileError, type Tracker, TrackerAwayError } from './tracker.js';
export { trackersOf } from './trackers.js';
export { TRACKIO_VARIABLE } from './trackio.js';
export { RunTracks } from './tracks.js';
