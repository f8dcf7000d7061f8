/** Studies: a spec's variants over seeds, and what their runs say of what is claimed. */
export type { ReportedCell } from './cells.js';
export type { ReportedCost } from './cost.js';
export { type WrittenStudy, writtenStudies } from './places.js';
export { type PrepareStudyInput, prepareStudy, type StudyPlan } from './prepare-study.js';
export { cellsOf, type StudyReport, studyReport } from './report.js';
export { type FoundReport, findReport, type ReportStudyInput, reportStudy } from './report-study.js';
export type { ReportedDifference, ReportedHypothesis, ReportedScore, Side } from './scores.js';
export { READING_NAMES, type Reading, type ReportedCurve, type ReportedStage } from './training.js';
