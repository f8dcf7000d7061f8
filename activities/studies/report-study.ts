/** The end of a study: its report is published, under a name that says what it rests on. */
import type { StudyResult } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import type { StudySpec } from '../spec/index.js';
import { type ArtifactRef, jsonText, type Store } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { reportUri, studySpecUri } from './places.js';
import { type StudyReport, studyReport } from './report.js';

export interface ReportStudyInput {
  study: string;
  spec: ArtifactRef;
  failed: StudyResult['failed'];
}

export function reportStudy(deps: Dependencies) {
  return ({ study, spec, failed }: ReportStudyInput): Promise<StudyResult> =>
    supervised('writing the report', async supervision => {
      const report = await studyReport(deps.store, study, spec);
      supervision.check();
      const { uri, sha256 } = await deps.store.publishFirst(placeOf(report), jsonText(report));
      const hypotheses = report.hypotheses.map(({ claim, verdict }) => ({ claim, verdict }));
      return { study, report: { uri, sha256 }, hypotheses, failed };
    });
}

const placeOf = ({ study, spec, cells }: StudyReport): string =>
  reportUri(study, { spec: spec.sha256, cells: cells.map(({ run, result }) => [run, result.sha256]) });

/** What a report is now, and as it was published; null where it is not published. */
export interface FoundReport {
  now: StudyReport;
  published: { ref: ArtifactRef; text: string } | null;
}

/**
 * The report that the store gives for a study's spec.
 * @returns null where the store has no such study, or not with this spec
 */
export async function findReport(store: Store, study: string, spec: StudySpec): Promise<FoundReport | null> {
  const ref = await store.find(studySpecUri(study, spec));
  if (!ref) return null;
  const now = await studyReport(store, study, ref);
  const published = await store.find(placeOf(now));
  return { now, published: published && { ref: published, text: await store.readText(published) } };
}
