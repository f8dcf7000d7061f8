/** The report of a study: a function of the store alone, so that whoever doubts it computes it again. */
import type { Cell } from '../contract/index.js';
import { cellRun, type StudySpec } from '../spec/index.js';
import { type ArtifactRef, readJson, type Store } from '../store/index.js';
import { type ReadCell, type ReportedCell, readCell } from './cells.js';
import { costOf, type ReportedCost } from './cost.js';
import {
  differencesOf,
  hypothesesOf,
  type ReportedDifference,
  type ReportedHypothesis,
  type ReportedScore,
  scoresOf,
} from './scores.js';
import { curvesOf, type ReportedCurve, type ReportedStage, stagesOf } from './training.js';

/** studies/<study>/reports/<hash>.json */
export interface StudyReport {
  study: string;
  spec: ArtifactRef;
  seeds: number[];
  variants: string[];
  /** Runs that have not ended well: nothing here is of them. */
  missing: string[];
  hypotheses: ReportedHypothesis[];
  scores: ReportedScore[];
  /** Each variant against the first. */
  differences: ReportedDifference[];
  stages: ReportedStage[];
  curves: ReportedCurve[];
  cost: ReportedCost;
  /** What all of it rests on, with hashes. */
  cells: ReportedCell[];
}

export const cellsOf = (study: string, { variants, seeds }: StudySpec): Cell[] =>
  variants.flatMap(({ name: variant }) => seeds.map(seed => ({ run: cellRun(study, variant, seed), variant, seed })));

/** @throws CorruptArtifactError, MissingArtifactError where what it rests on is not as it was */
export async function studyReport(store: Store, study: string, spec: ArtifactRef): Promise<StudyReport> {
  const written = await readJson<StudySpec>(store, spec);
  const { seeds, hypotheses } = written;
  const variants = written.variants.map(({ name }) => name);
  const read: ReadCell[] = [];
  const missing: string[] = [];
  for (const cell of cellsOf(study, written)) {
    const found = await readCell(store, cell);
    if (found) read.push(found);
    else missing.push(cell.run);
  }
  const cells = read.map(({ cell }) => cell);
  return {
    ...{ study, spec, seeds, variants, missing },
    hypotheses: hypothesesOf(read, hypotheses),
    scores: scoresOf(read),
    differences: differencesOf(read, variants),
    stages: stagesOf(read, variants),
    curves: curvesOf(read, variants),
    cost: costOf(cells),
    cells,
  };
}
