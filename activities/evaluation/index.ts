/** Models on benchmarks: items, prompts, answers, scores, comparison. */
export { type ComparedRow, type ComparedSet, comparedSet, compareRows } from './comparison.js';
export { concludeEvaluation } from './conclude-evaluation.js';
export { evaluate } from './evaluate.js';
export { evaluateRemote } from './evaluate-remote.js';
export { gatherResponses } from './gather-responses.js';
export { metricOf } from './items.js';
export type { EvaluateInput, PlannedEvaluation } from './job.js';
export { notify } from './notify.js';
export { prepareEvaluation } from './prepare-evaluation.js';
export { type EvaluationRecord, recordsOf, scoresOf } from './record.js';
export { type EvaluationResult, scoreEvaluation } from './score-evaluation.js';
