/**
 * The first activity of an evaluation that users or schedules start: everything that can be wrong is found here. Validates
 * the spec, pins the model, reads, renders, tokenises and cuts the items, and publishes them with the plan.
 */
import type { EngineKind, EvaluationSpecInput, EvaluationStart } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { checkKey } from '../remote/index.js';
import {
  checkRewardKeys,
  defaultLabel,
  differences,
  type EvaluationSpec,
  invalidEvaluation,
  labelText,
  runNameSchema,
  validateEvaluation,
  withRewardFiles,
} from '../spec/index.js';
import { type ArtifactRef, evaluatedUri, publishJson, readJson } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { pinModel } from './evaluated-model.js';
import { publishSets } from './items.js';
import type { EvaluationPlan } from './plan.js';
import { askingOf } from './prompts.js';

export interface PrepareEvaluationInput {
  start: EvaluationStart;
  input: EvaluationSpecInput;
}

/** What the workflow goes by. */
export interface PreparedEvaluation {
  plan: ArtifactRef;
  sets: { name: string; count: number }[];
  /** Whether an endpoint answers, and no engine. */
  remote: boolean;
  /** Which engine answers, else; absent of the workers' own. */
  engine?: EngineKind;
  schedule: string | null;
  /** How many each set is cut into; absent where it is not. */
  shards?: number;
}

export function prepareEvaluation(deps: Dependencies) {
  return ({ start, input }: PrepareEvaluationInput): Promise<PreparedEvaluation> =>
    supervised('validating the evaluation spec', async supervision => {
      const { store } = deps;
      const written = validateEvaluation(input);
      const place = placeOf(start, written);
      const { name, folder } = place;
      const known = await presentSpec(deps, name, folder);
      const spec = await withRewardFiles(written, known);
      if (known) refuseOtherSpec(`${name}/${folder}`, known, spec);
      checkRewardKeys(deps, spec);
      if (spec.model.remote) checkKey(spec.model.remote, deps.environment);
      const uri = evaluatedUri(name, folder, 'plan.json');
      const published = await store.find(uri);
      if (published) return prepared(published, await readJson<EvaluationPlan>(store, published), spec);

      const model = await pinModel(deps, spec, supervision);
      const asking = await askingOf(deps, spec, model, supervision);
      const sets = await publishSets(deps, name, spec, asking, supervision);
      supervision.check();
      const specRef = await publishJson(store, evaluatedUri(name, folder, 'spec.json'), spec);
      const plan: EvaluationPlan = { ...place, spec: specRef, model, sets };
      return prepared(await publishJson(store, uri, plan), plan, spec);
    });
}

function prepared(
  plan: ArtifactRef,
  { sets, model, schedule }: EvaluationPlan,
  { shards = 1 }: EvaluationSpec,
): PreparedEvaluation {
  const remote = model.kind === 'remote';
  return {
    ...{ plan, sets: sets.map(({ name, count }) => ({ name, count })), remote, schedule },
    ...(model.kind === 'policy' && model.engine && { engine: model.engine }),
    ...(shards > 1 && !remote && { shards }),
  };
}

/**
 * A schedule's firing is told from others by what Temporal puts behind the workflow id of the schedule's action or, where the
 * schedule keeps the id as it is, by the time that it was to start.
 */
const FIRING = /-(\d{4}-\d{2}-\d{2}T[\d:.]+Z)$/;

/** `<name>/<label>`, or a name alone; a firing of a schedule goes under the schedule's name. */
function placeOf(
  { workflowId, schedule, firedAt }: EvaluationStart,
  spec: EvaluationSpec,
): Pick<EvaluationPlan, 'name' | 'folder' | 'label' | 'schedule'> {
  const label = spec.label ?? defaultLabel(spec.model);
  if (schedule !== null) {
    const firing = FIRING.exec(workflowId)?.[1] ?? firedAt ?? workflowId;
    return { name: checkedName(schedule, 'the schedule'), folder: labelText(firing), label, schedule };
  }
  const [name = '', folder = label, ...rest] = workflowId.split('/');
  const what = `the workflow id "${workflowId}"`;
  if (rest.length > 0) throw invalidEvaluation([{ path: what, problem: 'expected NAME or NAME/LABEL' }]);
  return { name: checkedName(name, what), folder: checkedName(folder, what), label: spec.label ?? folder, schedule };
}

function checkedName(name: string, what: string): string {
  const checked = runNameSchema.safeParse(name);
  if (checked.success) return checked.data;
  throw invalidEvaluation([
    { path: `${what}, whose "${name}" becomes a folder's name`, problem: checked.error.issues[0]!.message },
  ]);
}

/** The spec that an evaluation has in the store. What has become a field since has the default that stood for it. */
async function presentSpec({ store }: Dependencies, name: string, folder: string): Promise<EvaluationSpec | null> {
  const present = await store.find(evaluatedUri(name, folder, 'spec.json'));
  return present && validateEvaluation(await readJson(store, present));
}

/** A name and a label stand for one spec: another one under the same is refused, with what differs, but for how it is shared. */
function refuseOtherSpec(evaluation: string, known: EvaluationSpec, spec: EvaluationSpec): void {
  const { shards: _, ...before } = known;
  const { shards: __, ...wanted } = spec;
  const differing = differences(before, wanted);
  if (differing.length === 0) return;
  throw invalidEvaluation(
    differing.map(path => ({
      path,
      problem: `differs from the evaluation "${evaluation}" in the store; start under another name, or with the same spec to go on`,
    })),
  );
}
