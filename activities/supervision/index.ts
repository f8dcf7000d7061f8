/** What every activity does around its work: heartbeats, cancellation, and the kind of each failure. */
export { progressReporter } from './report-progress.js';
export { type HeartbeatDetails, type Supervision, supervised } from './supervision.js';
export { timeLimit } from './time-limit.js';
