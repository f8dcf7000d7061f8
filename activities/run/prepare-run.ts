/**
 * The first activity of a run: everything that can be wrong is found here, before anything is trained. Validates the
 * spec, reads, renders and tokenises the data, and publishes both.
 */
import type { CellInput, CurriculumInput } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import {
  checkRewardKeys,
  differences,
  InvalidSpecError,
  type RunSpec,
  runNameSchema,
  type SpecIssue,
  validateSpec,
  withRewardFiles,
} from '../spec/index.js';
import {
  type ArtifactRef,
  absence,
  baseUri,
  currentClaim,
  dataSummaryUri,
  dataUri,
  planUri,
  publishJson,
  publishLines,
  readJson,
  type Store,
  serviceNeedsUri,
  specUri,
  stageUri,
  studyUri,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { openModel } from '../text/index.js';
import { type Branch, isBranch, openBranch, stageNames } from './branch.js';
import { dataIssues, modelIssues } from './data-checks.js';
import { type RunDataSummary, summaryOf } from './data-summary.js';
import { publishShared } from './outcomes.js';
import { readRunData } from './run-data.js';
import type { DataCounts, RunPlan, StagePlan } from './run-plan.js';
import { serviceNeeds } from './service-needs.js';

export interface PrepareRunInput {
  run: string;
  input: CurriculumInput;
}

/** plan.json: what stays the same however often the run is started. */
type PublishedPlan = Omit<RunPlan, 'stages' | 'checkpoints' | 'engine' | 'shards' | 'exportTo' | 'share'>;

export function prepareRun(deps: Dependencies) {
  return ({ run, input }: PrepareRunInput): Promise<RunPlan> =>
    supervised('validating the spec', async supervision => {
      const { store } = deps;
      const name = runNameSchema.safeParse(run);
      if (!name.success) {
        throw new InvalidSpecError([
          { path: `the run's name "${run}", which is its workflow id`, problem: name.error.issues[0]!.message },
        ]);
      }
      const share = isCell(input);
      const branch = isBranch(input) ? await openBranch(store, input) : null;
      const present = await presentSpec(deps, run);
      const spec = await withRewardFiles(branch?.spec ?? (await specOf(deps, input)), present);
      refuseOtherSpec(run, present, spec);
      checkRewardKeys(deps, spec);
      const published = await store.find(planUri(run));
      const prepared = published
        ? await readJson<PublishedPlan>(store, published)
        : await (branch ? prepareBranch(deps, run, branch) : prepareData(deps, run, spec, supervision, share));
      supervision.check();
      if (!published) {
        await publishNeeds(store, run, spec, prepared);
        await publishJson(store, planUri(run), prepared);
      }
      const stages = await stagesOf(deps, run, spec);
      const exportTo = spec.export ?? deps.exportTo;
      return {
        ...prepared,
        checkpoints: spec.checkpoints,
        ...(spec.shards !== undefined && { shards: spec.shards }),
        ...(exportTo && { exportTo }),
        ...(spec.engine.kind ? { engine: spec.engine.kind } : share && { share }),
        stages: stages.slice(stages.findIndex(({ name }) => name === (prepared.branch?.first ?? name))),
      };
    });
}

async function publishNeeds(store: Store, run: string, spec: RunSpec, { data }: PublishedPlan): Promise<void> {
  const needs = data.summary && serviceNeeds(spec, await readJson<RunDataSummary>(store, data.summary));
  if (needs) await publishJson(store, serviceNeedsUri(run), needs);
}

/** What came before is the other run's: its data and base are referred to. */
async function prepareBranch(deps: Dependencies, run: string, branch: Branch): Promise<PublishedPlan> {
  const { store } = deps;
  const { spec, base, plan, entry } = branch;
  const ref = await specRef(store, run, spec);
  await publishJson(store, baseUri(run), base);
  return { ...plan, spec: ref, evaluate: spec.evaluation.policies, branch: entry };
}

const isCell = (input: CurriculumInput): input is CellInput =>
  typeof input === 'object' && input !== null && 'study' in input;

async function cellSpec({ store }: Dependencies, { study, variant, seed }: CellInput): Promise<RunSpec> {
  const uri = studyUri(String(study), 'variants', `${variant}.json`);
  const ref = await store.find(uri);
  if (!ref) throw await absence(store, uri, `the study "${study}" has no such variant`);
  return validateSpec(await readJson(store, ref), { seed });
}

async function specOf(deps: Dependencies, input: CurriculumInput): Promise<RunSpec> {
  if (isCell(input)) return cellSpec(deps, input);
  if (typeof input !== 'object' || input === null || !('preset' in input)) return validateSpec(input);
  const { preset, overrides, ...rest } = input as { preset: unknown; overrides?: unknown };
  const issues: SpecIssue[] = Object.keys(rest).map(path => ({
    path,
    problem: 'unknown field: beside "preset" only "overrides" may stand',
  }));
  if (typeof preset !== 'string') issues.push({ path: 'preset', problem: 'expected the name of a preset' });
  if (overrides !== undefined && (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides))) {
    issues.push({ path: 'overrides', problem: 'expected an object of values by dotted path' });
  }
  if (issues.length > 0) throw new InvalidSpecError(issues);
  const written = await deps.readPreset(preset as string).catch((error: unknown) => {
    throw new InvalidSpecError([{ path: 'preset', problem: error instanceof Error ? error.message : String(error) }]);
  });
  return validateSpec(written, (overrides ?? {}) as Record<string, unknown>);
}

/** The spec that the run of that name has in the store. What has become a field since has the default that stood for it. */
async function presentSpec(deps: Dependencies, run: string): Promise<RunSpec | null> {
  const present = await deps.store.find(specUri(run));
  return present && validateSpec(await readJson(deps.store, present));
}

/**
 * A run's name stands for one spec: another one under the same name is refused, with what differs. When snapshots are
 * written, how long they stay, how work is shared and where metrics go changes no bit of the run: that may be another from
 * now on.
 */
function refuseOtherSpec(run: string, present: RunSpec | null, spec: RunSpec): void {
  if (!present) return;
  const changeable = { checkpoints: null, shards: null, export: null };
  const differing = differences({ ...present, ...changeable }, { ...spec, ...changeable });
  if (differing.length === 0) return;
  throw new InvalidSpecError(
    differing.map(path => ({
      path,
      problem: `differs from the run "${run}" in the store; start under another name, or with the same spec to go on`,
    })),
  );
}

/** Published once: one that was there, where a start was cut short, says the same of all that decides the run's bits. */
async function specRef(store: Store, run: string, spec: RunSpec): Promise<ArtifactRef> {
  return (await store.find(specUri(run))) ?? publishJson(store, specUri(run), spec);
}

async function prepareData(
  deps: Dependencies,
  run: string,
  spec: RunSpec,
  supervision: Supervision,
  share: boolean,
): Promise<PublishedPlan> {
  const { store } = deps;
  const reading = { note: supervision.note, signal: supervision.call.signal };
  const { model, source } = await openModel(deps.models, spec.model, reading, { weights: !spec.engine.kind });
  refuse(modelIssues(spec, model));
  const data = await readRunData(deps, spec, model, reading);
  refuse(dataIssues(spec, model, data));
  const summary = summaryOf(spec, model, data);

  const publish = (name: string, values: readonly unknown[]) =>
    (share ? publishShared : publishLines)(store, dataUri(run, name), values);
  // Only now is anything written: a refused spec leaves its name free.
  return {
    spec: await specRef(store, run, spec),
    model: source,
    data: {
      train: await publish('train', data.train),
      warmup: data.warmup && (await publish('warmup', data.warmup)),
      sets: await Promise.all(
        data.sets.map(async ({ name, items }) => ({
          name,
          data: await publish(`set-${name}`, items),
          count: items.length,
        })),
      ),
      summary: await publishJson(store, dataSummaryUri(run), summary),
    },
    evaluate: spec.evaluation.policies,
    counts: countsOf(summary),
  };
}

function refuse(issues: SpecIssue[]): void {
  if (issues.length > 0) throw new InvalidSpecError(issues);
}

function countsOf({ train, phases, warmup, sources }: RunDataSummary): DataCounts {
  const sum = (field: 'cut' | 'skippedCount') => sources.reduce((total, source) => total + source[field], 0);
  return {
    train: train.samples,
    beyondLastPhase: train.beyondLastPhase,
    bands: phases.map(({ own }) => own),
    warmup: warmup?.samples ?? 0,
    warmupLeftOut: warmup?.leftOut ?? 0,
    cut: sum('cut'),
    skipped: sum('skippedCount'),
  };
}

async function stagesOf(deps: Dependencies, run: string, spec: RunSpec): Promise<StagePlan[]> {
  return Promise.all(
    stageNames(spec).map(async name => {
      const claim = await currentClaim(deps.store, stageUri({ run, stage: name }));
      return { name, attempt: claim?.attempt ?? 1, overrides: claim?.overrides ?? {} };
    }),
  );
}
