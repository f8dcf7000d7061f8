/** What the runs of a study came to, read from the store: who made each part, and each item's score with the hash it comes from. */
import { itemScores } from '../benchmarks/index.js';
import type { Cell, CurriculumResult } from '../contract/index.js';
import type { EvaluationResult } from '../evaluation/index.js';
import { outcomesOf, type RunPlan } from '../run/index.js';
import {
  type ArtifactRef,
  attemptUri,
  claimedAttempt,
  MissingArtifactError,
  planUri,
  readJson,
  readLines,
  resultUri,
  type Store,
  stageUri,
} from '../store/index.js';
import type { StepLine } from '../training/index.js';

/** A part of a run: a stage, an evaluation, or the import of its base. */
export interface Part {
  /** `base`, `warmup`, `phase-<k>`, `evaluation.<label>`. */
  name: string;
  /** Hash of all that decides it; null of a stage that was replayed, which is shared with nobody. */
  key: string | null;
  /** The run that made it. */
  of: string;
  seconds: number;
}

export interface ReportedCell extends Cell {
  policy: { name: string; sha256: string };
  /** Of the run's result.json. */
  result: ArtifactRef;
  parts: Part[];
  /** A line for each step of each stage. */
  logs: { stage: string; steps: ArtifactRef }[];
  evaluations: ReportedEvaluation[];
}

export interface ReportedEvaluation {
  /** Of the policy. */
  label: string;
  set: string;
  /** SHA-256 of the questions. */
  items: string;
  /** The scores of all answers. */
  result: ArtifactRef;
  meanPromptTokens: number;
}

/** A cell with what its numbers are computed from. */
export interface ReadCell {
  cell: ReportedCell;
  /** In percent by item, in the order of `cell.evaluations`. */
  scores: ReadonlyMap<string, number>[];
  steps: { stage: string; lines: StepLine[] }[];
}

/** @returns null of a run that has not ended */
export async function readCell(store: Store, cell: Cell): Promise<ReadCell | null> {
  const ref = await store.find(resultUri(cell.run));
  if (!ref) return null;
  const result = await readJson<CurriculumResult>(store, ref);
  const plan = await readJson<RunPlan>(store, await there(store, planUri(cell.run)));
  const itemsOf = new Map(plan.data.sets.map(({ name, data }) => [name, data.sha256]));
  const evaluations: ReportedEvaluation[] = [];
  const scores: ReadonlyMap<string, number>[] = [];
  for (const { policy: label, set, uri, meanPromptTokens } of result.evaluations) {
    const answers = await there(store, uri);
    const { items } = await readJson<EvaluationResult>(store, answers);
    evaluations.push({ label, set, items: itemsOf.get(set) ?? '', result: answers, meanPromptTokens });
    scores.push(itemScores(items, 'reward'));
  }
  const logs = await Promise.all(result.stages.map(stage => logOf(store, cell.run, stage)));
  const steps = await Promise.all(
    logs.map(async ({ stage, steps }) => ({ stage, lines: await readLines<StepLine>(store, steps) })),
  );
  const { name, sha256 } = result.policy;
  const parts = await partsOf(store, cell.run, result);
  return { cell: { ...cell, policy: { name, sha256 }, result: ref, parts, logs, evaluations }, scores, steps };
}

async function there(store: Store, uri: string): Promise<ArtifactRef> {
  const ref = await store.find(uri);
  if (!ref) throw new MissingArtifactError(uri, 'wanted for the report of a study');
  return ref;
}

async function logOf(store: Store, run: string, { name, takenFrom = run }: CurriculumResult['stages'][number]) {
  const attempt = (await claimedAttempt(store, stageUri({ run: takenFrom, stage: name }))) ?? 1;
  // What others take is a first attempt: a later one may have been made since.
  const at = { run: takenFrom, stage: name, attempt: takenFrom === run ? attempt : 1 };
  return { stage: name, steps: await there(store, attemptUri(at, 'steps.jsonl')) };
}

async function partsOf(store: Store, run: string, { stages }: CurriculumResult): Promise<Part[]> {
  const shared = (await outcomesOf(store, run)).map(({ name, key, of, seconds }) => ({ name, key, of, seconds }));
  const alone = stages
    .filter(({ name }) => !shared.some(one => one.name === name))
    .map(({ name, seconds }) => ({ name, key: null, of: run, seconds }));
  return [...shared, ...alone];
}
