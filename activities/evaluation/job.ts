/**
 * What the engine is to answer, and how: from a run that evaluates its own policy, or from the plan of an evaluation that
 * stands alone. From here on the two are the same work.
 */
import {
  ENGINE_PARTS,
  type PartList,
  type PromptItem,
  partStarts,
  readData,
  readKept,
  readParts,
  type Shard,
  shardsOf,
} from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { ensurePolicyLoaded, textModelOf } from '../policies/index.js';
import type { EvaluationSpec, MemorySettings, RunSpec } from '../spec/index.js';
import { type ArtifactRef, evaluatedUri, evaluationUri, readJson, readLines, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import type { TextModel } from '../text/index.js';
import { openPinned, textModelFor } from './evaluated-model.js';
import type { EvaluatedModel, EvaluationPlan, PlannedSet, PromptLine } from './plan.js';
import type { LocalReader } from './read-local.js';

/** A policy of a run, on one of the run's own sets. */
export interface OwnEvaluation {
  run: string;
  spec: ArtifactRef;
  policy: PolicyRef;
  /** `base`, `sft`, `phase-<k>` or `final`. */
  label: string;
  set: { name: string; data: ArtifactRef };
  /** Which of its parts to answer, where others answer the rest. */
  shard?: Shard;
}

/** One set of a prepared evaluation. */
export interface PlannedEvaluation {
  plan: ArtifactRef;
  set: string;
  shard?: Shard;
}

export type EvaluateInput = OwnEvaluation | PlannedEvaluation;

export const isPlanned = (input: EvaluateInput): input is PlannedEvaluation => 'plan' in input;

/** A prompt of any set, as far as answering it goes. */
export type Asked = Pick<PromptItem, 'id'> & Pick<PromptLine, 'promptIds' | 'memory'>;

export interface EvaluationJob {
  /** "base on held-out". */
  title: string;
  set: string;
  count: number;
  /** The prompts, or the shard's, in parts whose answers are published together. */
  parts(): AsyncIterable<{ from: number; lines: Asked[] }>;
  /** How many of the set's prompts are in them. */
  asked: number;
  samples: number;
  sampling: RunSpec['evaluation']['sampling'];
  stopIds: number[];
  /** The model is no part of it: all models answer with the same luck. */
  seedOf(id: string): string;
  /** Where the answers of a part lie; without one, the list of all parts, or of the shard's. */
  responsesUri(part?: { from: number; count: number }): string;
  /** Where the list of all parts of the set's answers lies, whoever made them. */
  allResponsesUri: string;
  /** How documents are read chunk by chunk, where they are. */
  reader?: LocalReader;
  /** Makes sure that the engine holds the model. */
  load(supervision: Supervision): Promise<void>;
}

export async function evaluationJob(
  deps: EngineDependencies,
  input: EvaluateInput,
  supervision: Supervision,
): Promise<EvaluationJob> {
  return isPlanned(input) ? plannedJob(deps, input, supervision) : ownJob(deps, input);
}

async function ownJob(deps: EngineDependencies, input: OwnEvaluation): Promise<EvaluationJob> {
  const { store } = deps;
  const { run, spec, policy, label, set, shard } = input;
  const { evaluation, seed } = await readKept<RunSpec>(store, spec);
  const items = await readData<PromptItem>(store, set.data);
  const { samples, sampling } = evaluation;
  const lengths = items.map(({ promptIds }) => promptIds.length + samples * sampling.maxNewTokens);
  const starts = partStarts(lengths, ENGINE_PARTS, shard?.of);
  const parts = starts.map((from, k) => ({ from, lines: items.slice(from, starts[k + 1]) }));
  const tokens = starts.map((from, k) => sum(lengths.slice(from, starts[k + 1])));
  const chosen = ofShard(parts, tokens, shard);
  return {
    title: `${label} on ${set.name}`,
    set: set.name,
    count: items.length,
    asked: sum(chosen.map(({ lines }) => lines.length)),
    async *parts() {
      yield* chosen;
    },
    samples,
    sampling,
    stopIds: (await textModelOf(deps, run)).stopIds,
    seedOf: id => [seed, 'evaluation', set.name, id].join('/'),
    responsesUri: part => {
      if (!part) return ownResponsesUri(input, shard ? `${shardName(shard)}.json` : 'json');
      // Cut for another number of shards it is another part.
      return ownResponsesUri(input, shard ? `${part.from}-${part.from + part.count}.jsonl` : `${part.from}.jsonl`);
    },
    allResponsesUri: ownResponsesUri(input, 'json'),
    load: supervision => ensurePolicyLoaded(deps, policy, 'weights', supervision, { shards: shard?.of }),
  };
}

async function plannedJob(
  deps: EngineDependencies,
  input: PlannedEvaluation,
  supervision: Supervision,
): Promise<EvaluationJob> {
  const { store } = deps;
  const { shard } = input;
  const { plan, set, spec } = await readPlan(store, input);
  const { samples, sampling, seed } = spec;
  const prompts = await readPartList(store, set.prompts);
  const tokens = prompts.parts.map(part => part.tokens ?? part.count);
  const chosen = { ...prompts, parts: ofShard(prompts.parts, tokens, shard) };
  const model = (await textModelFor(deps, plan.model, supervision))!;
  return {
    title: `${plan.label} on ${set.name}`,
    set: set.name,
    count: set.count,
    asked: sum(chosen.parts.map(({ count }) => count)),
    async *parts() {
      for await (const { from, lines } of readParts<PromptLine>(store, chosen)) {
        yield { from, lines };
      }
    },
    samples,
    sampling,
    stopIds: model.stopIds,
    seedOf: id => [seed, 'evaluation', set.name, id].join('/'),
    responsesUri: part => {
      if (!part) return plannedResponsesUri(plan, set, shard ? `${shardName(shard)}.json` : undefined);
      return plannedResponsesUri(plan, set, `${part.from}.jsonl`);
    },
    allResponsesUri: plannedResponsesUri(plan, set),
    ...(spec.memory && { reader: localReader(plan, set, spec, spec.memory, model) }),
    load: supervision => loadModel(deps, plan.model, supervision, shard?.of),
  };
}

function localReader(
  plan: EvaluationPlan,
  set: PlannedSet,
  { prompt }: EvaluationSpec,
  settings: MemorySettings,
  model: TextModel,
): LocalReader {
  const file = (part: number, call: number | '') => `${part}.memory-${call}`;
  return {
    ...{ settings, prompt, model },
    memoryUri: (part, call) => plannedResponsesUri(plan, set, `${file(part, call)}.jsonl`),
    callsDone: async (store, part) => {
      const names = await store.list(evaluatedUri(plan.name, plan.folder, 'responses', set.name));
      const before = file(part, '');
      return names.filter(name => name.startsWith(before)).map(name => Number.parseInt(name.slice(before.length), 10));
    },
  };
}

/** The parts that are the shard's, by the tokens of each. */
function ofShard<P>(parts: P[], tokens: number[], shard: Shard | undefined): P[] {
  if (!shard) return parts;
  const shards = shardsOf(tokens, shard.of);
  return parts.filter((_, k) => shards[k] === shard.index);
}

const shardName = ({ index, of }: Shard): string => `${index + 1}-of-${of}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

async function loadModel(
  deps: EngineDependencies,
  model: EvaluatedModel,
  supervision: Supervision,
  shards: number | undefined,
): Promise<void> {
  if (model.kind === 'policy') return ensurePolicyLoaded(deps, model.policy, 'weights', supervision, { shards });
  if (model.kind === 'remote') throw new RangeError('a remote model has no weights that an engine could load');
  const tag = `folder/${model.sha256}`;
  if ((await deps.engine.call('status', {}, supervision.call)).tag === tag) return;
  supervision.note(`loading ${model.source}`);
  const directory = await openPinned(deps, model, supervision.call.signal);
  await deps.engine.call('load', { directory, optimizer: null, tag }, supervision.call);
}

/** A set of a plan, with all that the plan says of it. */
export async function readPlan(
  store: Store,
  { plan: ref, set: name }: PlannedEvaluation,
): Promise<{ plan: EvaluationPlan; set: PlannedSet; spec: EvaluationSpec }> {
  const plan = await readJson<EvaluationPlan>(store, ref);
  const set = plan.sets.find(set => set.name === name);
  if (!set) throw new RangeError(`${ref.uri} has no set "${name}"`);
  return { plan, set, spec: await readJson<EvaluationSpec>(store, plan.spec) };
}

export async function readPartList(store: Store, ref: ArtifactRef): Promise<PartList> {
  return readJson<PartList>(store, ref);
}

export function plannedResponsesUri(
  { name, folder }: EvaluationPlan,
  set: { name: string },
  file = 'all.json',
): string {
  return evaluatedUri(name, folder, 'responses', set.name, file);
}

const ownResponsesUri = ({ run, label, set, policy }: OwnEvaluation, file: string): string =>
  evaluationUri(run, `${label}.${set.name}`, policy.name, `responses.${file}`);

/** The job's, for whoever does none of it. */
export async function allResponsesUri(store: Store, input: EvaluateInput): Promise<string> {
  if (!isPlanned(input)) return ownResponsesUri(input, 'json');
  const { plan, set } = await readPlan(store, input);
  return plannedResponsesUri(plan, set);
}

/** The responses of a set, whole or in parts: earlier versions published them in one file. */
export async function readResponses<T>(store: Store, ref: ArtifactRef): Promise<T[]> {
  if (ref.uri.endsWith('.jsonl')) return readLines<T>(store, ref);
  const lines: T[] = [];
  for await (const part of readParts<T>(store, await readPartList(store, ref))) lines.push(...part.lines);
  return lines;
}
