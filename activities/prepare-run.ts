/**
 * The first activity of a run: everything that can be wrong is found here, before anything is trained. Validates the
 * spec, reads, renders and tokenises the data, and publishes both.
 */
import { setImmediate } from 'node:timers/promises';
import type { CurriculumInput, PolicyRef } from '../workflows/contract.js';
import type { Pool, PromptItem, TraceItem } from './artifacts.js';
import { type Branch, isBranch, openBranch, stageNames } from './branch.js';
import type { Source } from './datasets/sources.js';
import type { Dependencies, TextModel } from './dependencies.js';
import { EngineRequestError } from './engine/protocol.js';
import { documentsText, renderPrompt } from './prompts.js';
import { type RunSpec, runNameSchema, type WarmupSpec } from './spec.js';
import {
  type ArtifactRef,
  baseUri,
  canonicalJson,
  dataUri,
  markerUri,
  planUri,
  publishJson,
  publishLines,
  readJson,
  specUri,
} from './store/index.js';
import { type Supervision, supervised } from './supervision.js';
import { InvalidSpecError, type SpecIssue, validateSpec } from './validate-spec.js';

export interface PrepareRunInput {
  run: string;
  input: CurriculumInput;
}

/** A stage as it stands: a run that starts again goes on with the attempt it had reached. */
export interface StagePlan {
  /** `warmup` or `phase-<k>`. */
  name: string;
  attempt: number;
  overrides: Record<string, unknown>;
}

export interface RunPlan {
  spec: ArtifactRef;
  /** The base model, pinned: a revision of the Hub that moves is not followed. */
  model: string;
  data: { train: ArtifactRef; warmup: ArtifactRef | null; sets: { name: string; data: ArtifactRef }[] };
  stages: StagePlan[];
  evaluate: RunSpec['evaluation']['policies'];
  counts: DataCounts;
  /** Of a run that branches off another: which, and what it begins with. */
  branch?: {
    of: string;
    first: string;
    policy: PolicyRef;
    /** Of the phases before. */
    difficulties: ArtifactRef[];
  };
}

export interface DataCounts {
  train: number;
  /** Training samples longer than the last phase's band, which no phase uses. */
  beyondLastPhase: number;
  /** Samples in each phase's own band. */
  bands: number[];
  warmup: number;
  /** Warm-up samples left out because their prompt is too long or they have no trace. */
  warmupLeftOut: number;
}

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
      const branch = isBranch(input) ? await openBranch(store, input) : null;
      const spec = branch?.spec ?? (await specOf(deps, input));
      await refuseOtherSpec(deps, run, spec);
      const published = await store.find(planUri(run));
      const prepared = published
        ? await readJson<Omit<RunPlan, 'stages'>>(store, published)
        : await (branch ? prepareBranch(deps, run, branch) : prepareData(deps, run, spec, supervision));
      supervision.check();
      if (!published) await publishJson(store, planUri(run), prepared);
      const stages = await stagesOf(deps, run, spec);
      return {
        ...prepared,
        stages: stages.slice(stages.findIndex(({ name }) => name === (prepared.branch?.first ?? name))),
      };
    });
}

/** What came before is the other run's: its data and base are referred to. */
async function prepareBranch(deps: Dependencies, run: string, branch: Branch): Promise<Omit<RunPlan, 'stages'>> {
  const { store } = deps;
  const { spec, base, plan, entry } = branch;
  const ref = await publishJson(store, specUri(run), spec);
  await publishJson(store, baseUri(run), base);
  return { ...plan, spec: ref, evaluate: spec.evaluation.policies, branch: entry };
}

async function specOf(deps: Dependencies, input: CurriculumInput): Promise<RunSpec> {
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

/** A run's name stands for one spec: another one under the same name is refused, with what differs. */
async function refuseOtherSpec(deps: Dependencies, run: string, spec: RunSpec): Promise<void> {
  const present = await deps.store.find(specUri(run));
  if (!present) return;
  // What has become a field since has the default that stood for it.
  const differing = differences(validateSpec(await readJson(deps.store, present)), spec, '');
  if (differing.length === 0) return;
  throw new InvalidSpecError(
    differing.map(path => ({
      path,
      problem: `differs from the run "${run}" in the store; start under another name, or with the same spec to go on`,
    })),
  );
}

function differences(a: unknown, b: unknown, path: string): string[] {
  if (canonicalJson(a) === canonicalJson(b)) return [];
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isRecord(a) || !isRecord(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap(key =>
    differences(a[key], b[key], path === '' ? key : `${path}.${key}`),
  );
}

/** No phase may need more context than the model has, and adapters need layers that it has. */
async function checkModel(deps: Dependencies, spec: RunSpec, supervision: Supervision): Promise<void> {
  const { model } = await openModel(deps, spec, supervision);
  const issues: SpecIssue[] = spec.phases.flatMap((phase, k) => {
    const longest = phase.maxTokens + phase.rl.sampling.maxNewTokens;
    if (longest <= model.contextLength) return [];
    return [
      {
        path: `phases[${k}].maxTokens`,
        problem: `expected at most the model's context of ${model.contextLength} tokens less maxNewTokens (${phase.rl.sampling.maxNewTokens}), found ${phase.maxTokens}`,
      },
    ];
  });
  if (spec.lora) {
    try {
      model.checkLoraTargets(spec.lora.targetModules);
    } catch (error) {
      if (!(error instanceof EngineRequestError)) throw error;
      issues.push({ path: 'lora.targetModules', problem: error.message });
    }
  }
  if (issues.length > 0) throw new InvalidSpecError(issues);
}

async function openModel(
  deps: Dependencies,
  spec: RunSpec,
  { call, note }: Supervision,
): Promise<{ model: TextModel; source: string }> {
  note(`fetching ${spec.model}`);
  try {
    const { directory, source } = await deps.models.resolve(spec.model, call.signal);
    return { model: await deps.models.open(directory), source };
  } catch (error) {
    // What no second try mends is the spec's mistake; a network that is away is not.
    if (!(error instanceof EngineRequestError)) throw error;
    throw new InvalidSpecError([{ path: 'model', problem: error.message }]);
  }
}

async function prepareData(
  deps: Dependencies,
  run: string,
  spec: RunSpec,
  supervision: Supervision,
): Promise<Omit<RunPlan, 'stages'>> {
  const { store } = deps;
  await checkModel(deps, spec, supervision);
  const { note } = supervision;
  const { model, source } = await openModel(deps, spec, supervision);
  note('reading and tokenising the training data');
  const train = await promptItems(deps, spec, model, spec.data);
  const bands = spec.phases.map((_, k) => train.filter(item => inBand(spec, k, item)).length);
  note('reading and tokenising the warm-up data');
  const warmup = spec.warmup ? await traceItems(deps, spec, spec.warmup, model) : null;
  note('reading and tokenising the evaluation sets');
  const sets: { name: string; items: PromptItem[] }[] = [];
  for (const set of spec.evaluation.sets) {
    sets.push({ name: set.name, items: await promptItems(deps, spec, model, [set.source], set.limit) });
  }
  refuseUnusable(spec, model, { train, bands, warmup: warmup?.items ?? null, sets });

  // Only now is anything written: a refused spec leaves its name free.
  return {
    spec: await publishJson(store, specUri(run), spec),
    model: source,
    data: {
      train: await publishLines(store, dataUri(run, 'train'), train),
      warmup: warmup && (await publishLines(store, dataUri(run, 'warmup'), warmup.items)),
      sets: await Promise.all(
        sets.map(async ({ name, items }) => ({
          name,
          data: await publishLines(store, dataUri(run, `set-${name}`), items),
        })),
      ),
    },
    evaluate: spec.evaluation.policies,
    counts: {
      train: train.length,
      beyondLastPhase: train.length - bands.reduce((sum, count) => sum + count, 0),
      bands,
      warmup: warmup?.items.length ?? 0,
      warmupLeftOut: warmup?.leftOut ?? 0,
    },
  };
}

/** Whether a sample's prompt lies in phase k's own length band (k from 0): L_(k-1) < tokens <= L_k. */
export function inBand(spec: RunSpec, k: number, item: PromptItem): boolean {
  const { above, upTo } = bandOf(spec, k);
  return above < item.promptIds.length && item.promptIds.length <= upTo;
}

export function bandOf(spec: RunSpec, k: number): Pool['band'] {
  return { above: spec.phases[k - 1]?.maxTokens ?? 0, upTo: spec.phases[k]!.maxTokens };
}

async function promptItems(
  deps: Dependencies,
  spec: RunSpec,
  model: TextModel,
  sources: Source[],
  limit = Number.POSITIVE_INFINITY,
): Promise<PromptItem[]> {
  const items: PromptItem[] = [];
  for (const [k, source] of sources.entries()) {
    for await (const sample of deps.readSource(source)) {
      if (items.length >= limit) return items;
      await breathe(items.length);
      items.push({
        // Ids are unique within a source; the source's place keeps those of several apart.
        id: sources.length > 1 ? `${k}/${sample.id}` : sample.id,
        task: sample.task,
        question: sample.question,
        answers: sample.answers,
        promptIds: model.promptIds(
          renderPrompt(spec.prompt.template, sample.question, documentsText(sample)),
          spec.prompt,
        ),
      });
    }
  }
  return items;
}

async function traceItems(deps: Dependencies, spec: RunSpec, warmup: WarmupSpec, model: TextModel) {
  const items: TraceItem[] = [];
  let leftOut = 0;
  for (const [k, source] of warmup.data.entries()) {
    for await (const sample of deps.readSource(source)) {
      await breathe(items.length + leftOut);
      const prompt = renderPrompt(spec.prompt.template, sample.question, documentsText(sample));
      const promptIds = model.promptIds(prompt, spec.prompt);
      if (sample.trace === null || promptIds.length > (warmup.maxTokens ?? Number.POSITIVE_INFINITY)) leftOut++;
      else {
        const id = warmup.data.length > 1 ? `${k}/${sample.id}` : sample.id;
        items.push({ id, promptIds, responseIds: model.responseIds(sample.trace, spec.prompt) });
      }
    }
  }
  return { items, leftOut };
}

/** Now and then lets the event loop turn, without which a long tokenisation would not heartbeat. */
async function breathe(done: number): Promise<void> {
  if (done % 16 === 0) await setImmediate();
}

interface Prepared {
  train: PromptItem[];
  bands: number[];
  warmup: TraceItem[] | null;
  sets: { name: string; items: PromptItem[] }[];
}

/** Refuses data with which a stage could not run. */
function refuseUnusable(spec: RunSpec, model: TextModel, { train, bands, warmup, sets }: Prepared): void {
  const issues: SpecIssue[] = [];
  const lengths = train.map(item => item.promptIds.length).sort((a, b) => a - b);
  const range = lengths.length > 0 ? `${lengths[0]} to ${lengths.at(-1)} tokens` : 'no samples at all';
  bands.forEach((count, k) => {
    const { above, upTo } = bandOf(spec, k);
    if (count === 0) {
      issues.push({
        path: `phases[${k}].maxTokens`,
        problem: `the phase is empty: expected samples of more than ${above} and at most ${upTo} tokens; the data has ${range}`,
      });
    }
  });
  if (warmup?.length === 0) {
    issues.push({
      path: 'warmup.data',
      problem: 'the warm-up is empty: expected samples with a trace and a prompt within warmup.maxTokens',
    });
  }
  const longest =
    warmup?.reduce((most, item) => Math.max(most, item.promptIds.length + item.responseIds.length), 0) ?? 0;
  if (longest > model.contextLength) {
    issues.push({
      path: 'warmup.maxTokens',
      problem: `expected prompts that fit the model's context of ${model.contextLength} tokens with their traces; the longest has ${longest}`,
    });
  }
  sets.forEach(({ items }, k) => {
    const most = items.reduce((longest, item) => Math.max(longest, item.promptIds.length), 0);
    const limit = model.contextLength - spec.evaluation.sampling.maxNewTokens;
    if (items.length === 0) issues.push({ path: `evaluation.sets[${k}].source`, problem: 'the set is empty' });
    if (most > limit) {
      issues.push({
        path: `evaluation.sets[${k}].source`,
        problem: `expected prompts of at most ${limit} tokens (the model's context less maxNewTokens); the longest has ${most}`,
      });
    }
  });
  if (issues.length > 0) throw new InvalidSpecError(issues);
}

async function stagesOf(deps: Dependencies, run: string, spec: RunSpec): Promise<StagePlan[]> {
  return Promise.all(
    stageNames(spec).map(async name => {
      const claim = await deps.store.claimed(markerUri({ run, stage: name, attempt: 1 }));
      return { name, attempt: claim?.attempt ?? 1, overrides: claim?.overrides ?? {} };
    }),
  );
}
