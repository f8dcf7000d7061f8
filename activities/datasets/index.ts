/** From files as others write them to samples: readers, longer contexts, checks of what was read. */
export { ANSWER_SEPARATOR, MARK_END } from './answer-parts.js';
export { ContaminationCheck, OVERLAPS, type Overlap } from './contamination.js';
export {
  type DataSource,
  type DataSummary,
  dataSourceSchema,
  openData,
  type TrainingSource,
  trainingSourceSchema,
} from './data-source.js';
export type { FileKind } from './detect.js';
export { detectKind } from './detect.js';
export type { PromptMeasure } from './distractors.js';
export { FieldAccount, fieldRemarks } from './field-account.js';
export { answerTexts, scalarText } from './fields.js';
export { valueOfJson } from './json-text.js';
export { type Lengths, lengthsOf } from './lengths.js';
export { locate } from './locate.js';
export { longest } from './longest.js';
export { type Document, type Sample, TASKS, type Task } from './sample.js';
export {
  DataError,
  type OpenedSource,
  openSource,
  type Source,
  type SourceSummary,
} from './sources.js';
export { linesOf } from './text-records.js';
export { FUNCTION_WORDS, PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from './vocabulary.js';
export { inWords } from './wording.js';
export { drawChain, drawFacts, type Fact, questionOf, sentence } from './world.js';
