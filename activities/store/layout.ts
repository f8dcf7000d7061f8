/** Where each artifact of a run lies. The only place that spells store uris. */

/** Which try of which stage: `warmup` or `phase-<k>`. */
export interface StageAttempt {
  run: string;
  stage: string;
  attempt: number;
}

const PREFIX = 'store:';
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,199}$/;

/** Whether it can be a part of a store uri. */
export const isSegment = (name: string): boolean => SEGMENT.test(name);

/** A name that can be none in the store, as from a command line. */
export class StoreNameError extends RangeError {
  override readonly name = 'StoreNameError';
}

/** Joins and checks path segments: none may be empty, hidden, or lead out of the store. @throws StoreNameError */
export function storeUri(...segments: string[]): string {
  const bad = segments.find(segment => !isSegment(segment));
  if (bad !== undefined) {
    throw new StoreNameError(
      `"${bad}" cannot be part of a store uri: expected letters, digits, ".", "_", "-", "@" or "+", the first a letter or digit`,
    );
  }
  return PREFIX + segments.join('/');
}

/** The checked segments of a store uri. Throws RangeError for anything else. */
export function storeSegments(uri: string): string[] {
  if (!uri.startsWith(PREFIX)) {
    throw new RangeError(`"${uri}" is not a store uri: expected "store:runs/…"`);
  }
  const segments = uri.slice(PREFIX.length).split('/');
  storeUri(...segments);
  return segments;
}

/** Where what turned out damaged is kept for inspection. @param copy from 1: it may happen again */
export const asideUri = (uri: string, copy: number) => `${uri}.damaged${copy === 1 ? '' : `-${copy}`}`;
/** The name, or uri, that something was set aside from; null of what was not. */
export const originalOf = (aside: string): string | null => /^(.+)\.damaged(?:-\d+)?$/.exec(aside)?.[1] ?? null;
export const isAside = (name: string): boolean => originalOf(name) !== null;
/** Where content is kept that was offered for a name with other content. */
export const divergedUri = (uri: string, offered: string) => `${uri}.diverged-${offered.slice(0, 12)}`;

export const specUri = (run: string) => storeUri('runs', run, 'spec.json');
/** What the run needs of the training service that is to train it. */
export const serviceNeedsUri = (run: string) => storeUri('runs', run, 'service-needs.json');
export const planUri = (run: string) => storeUri('runs', run, 'plan.json');
/** Reference of the imported base policy. */
export const baseUri = (run: string) => storeUri('runs', run, 'base.json');
export const resultUri = (run: string) => storeUri('runs', run, 'result.json');
/** Rendered, tokenised samples; `name` is `train`, `warmup` or `set-<evaluation set>`. */
export const dataUri = (run: string, name: string) => storeUri('runs', run, 'data', `${name}.jsonl`);
/** Lengths, counts and hashes of all that was read. */
export const dataSummaryUri = (run: string) => storeUri('runs', run, 'data', 'summary.json');
/** Weights alone, of the newest policy, while several workers sample from it. */
export const weightsUri = (run: string, policy: string) => storeUri('runs', run, 'weights', policy);
/** Folder of what `weightsUri` names. */
export const sharedUri = (run: string) => storeUri('runs', run, 'weights');
/** Folder of a run's snapshots. */
export const checkpointsUri = (run: string) => storeUri('runs', run, 'checkpoints');
export const checkpointUri = (run: string, policy: string) => storeUri('runs', run, 'checkpoints', policy);
/** `name` is `<policy label>.<set>`; the policy's name keeps evaluations of different attempts apart. */
export const evaluationUri = (run: string, name: string, policy: string, file: string) =>
  storeUri('runs', run, 'evaluations', `${name}.${policy.slice(0, 8)}.${file}`);
/** What the name of a result says, among a run's evaluations; null of other files, such as the responses. */
export function evaluationNamed(file: string): { label: string; set: string; policy: string } | null {
  const [, label, set, policy] = /^([^.]+)\.(.+)\.([0-9a-f]{8})\.json$/.exec(file) ?? [];
  return label === undefined ? null : { label, set: set!, policy: policy! };
}
/** A file of an evaluation that belongs to no run: of one model, or of one firing of a schedule. */
export const evaluatedUri = (name: string, label: string, ...file: string[]) =>
  storeUri('evaluations', name, label, ...file);
/** What the models of an evaluation have in common: its items, and prompts made of them. */
export const ITEMS_FOLDER = 'items';
/** Later attempts, whose settings may differ, have pools of their own. */
export const poolUri = ({ run, stage, attempt }: StageAttempt) =>
  storeUri('runs', run, 'pools', attempt === 1 ? `${stage}.json` : `${stage}.attempt-${attempt}.json`);
/** What a stage, an evaluation or the base of a run of a study came to, made by it or taken from another: `warmup`, `evaluation.sft`. */
export const outcomeUri = (run: string, name: string) => storeUri('runs', run, 'outcomes', `${name}.json`);
/** Folder of a stage's attempts. */
export const stageUri = ({ run, stage }: Pick<StageAttempt, 'run' | 'stage'>) => storeUri('runs', run, stage);
export const attemptUri = ({ run, stage, attempt }: StageAttempt, ...file: string[]) =>
  storeUri('runs', run, stage, String(attempt), ...file);
export const stepUri = ({ run, stage, attempt }: StageAttempt, step: number, file: string) =>
  storeUri('runs', run, stage, String(attempt), 'steps', String(step), file);

/** An endpoint's reply, by the hash of what was asked: shared by all runs on the store. */
export const replyUri = (hash: string) => storeUri('replies', hash.slice(0, 2), `${hash}.json`);

/** What runs of studies share, by the hash of all that decides it. */
export const sharedOutcomeUri = (key: string) => storeUri('shared', key.slice(0, 2), `${key}.json`);
/** A file of a study. */
export const studyUri = (study: string, ...file: string[]) => storeUri('studies', study, ...file);

/** The run that an artifact belongs to. */
export function runOf(uri: string): string {
  const [runs, run] = storeSegments(uri);
  if (runs !== 'runs' || run === undefined) throw new RangeError(`"${uri}" is no run's: expected "store:runs/<run>/…"`);
  return run;
}

/** 1-based number of the phase that the stage `phase-<k>` is. */
export function phaseNumber(stage: string): number {
  const found = /^phase-([1-9]\d*)$/.exec(stage);
  if (!found) throw new RangeError(`"${stage}" is not a phase: expected "phase-<k>"`);
  return Number(found[1]);
}

export function fenceOf(stage: StageAttempt): { stage: string; attempt: number } {
  return { stage: stageUri(stage), attempt: stage.attempt };
}
