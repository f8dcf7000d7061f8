/** Where the files of a study lie in the store. */
import type { StudySpec } from '../spec/index.js';
import { type ArtifactRef, hashOf, readJson, type Store, studyUri } from '../store/index.js';

const SHORT = 16;

/** A variant's spec, with no seed of its own. */
export const variantUri = (study: string, variant: string) => studyUri(study, 'variants', `${variant}.json`);

/** A study may grow: each of its specs stays. How many runs are under way at once is no matter. */
export const studySpecUri = (study: string, { atOnce: _, ...spec }: StudySpec) =>
  studyUri(study, 'specs', `${hashOf(spec).slice(0, SHORT)}.json`);

export interface WrittenStudy {
  ref: ArtifactRef;
  spec: StudySpec;
}

/** What a study has been, the smallest first: it grows by variants, seeds and hypotheses. */
export async function writtenStudies(store: Store, study: string): Promise<WrittenStudy[]> {
  const written: WrittenStudy[] = [];
  for (const name of await store.list(studyUri(study, 'specs'))) {
    const ref = await store.find(studyUri(study, 'specs', name));
    if (ref) written.push({ ref, spec: await readJson<StudySpec>(store, ref) });
  }
  const size = ({ spec: { variants, seeds, hypotheses } }: WrittenStudy) =>
    variants.length * seeds.length + hypotheses.length / 1e6;
  return written.sort((a, b) => size(a) - size(b));
}

/** @param of all that the report rests on */
export const reportUri = (study: string, of: unknown) =>
  studyUri(study, 'reports', `${hashOf(of).slice(0, SHORT)}.json`);
