/** Where the files of a study lie in the store. */
import type { StudySpec } from '../spec/index.js';
import { hashOf, studyUri } from '../store/index.js';

const SHORT = 16;

/** A variant's spec, with no seed of its own. */
export const variantUri = (study: string, variant: string) => studyUri(study, 'variants', `${variant}.json`);

/** A study may grow: each of its specs stays. How many runs are under way at once is no matter. */
export const studySpecUri = (study: string, { atOnce: _, ...spec }: StudySpec) =>
  studyUri(study, 'specs', `${hashOf(spec).slice(0, SHORT)}.json`);

/** @param of all that the report rests on */
export const reportUri = (study: string, of: unknown) =>
  studyUri(study, 'reports', `${hashOf(of).slice(0, SHORT)}.json`);
