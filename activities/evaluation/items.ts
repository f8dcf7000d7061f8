/**
 * The items of an evaluation's benchmarks, read and published: once as every model has them, once as prompts for this
 * one. Both lie under the hash of their content, so that models and firings share what they have in common.
 */
import { setImmediate } from 'node:timers/promises';
import { ENDPOINT_PARTS, ENGINE_PARTS, type PartList, partStarts } from '../artifacts/index.js';
import { BENCHMARKS, type BenchmarkName, isBenchmark, unreadableGold } from '../benchmarks/index.js';
import { type DataSource, openData, type PromptMeasure, type Sample } from '../datasets/index.js';
import type { Dependencies } from '../dependencies.js';
import { type EvaluationSpec, invalidEvaluation } from '../spec/index.js';
import { type ArtifactRef, evaluatedUri, hashOf, ITEMS_FOLDER, linesText, type Store, sha256 } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { callsFor } from './memory.js';
import type { EvaluationItem, PlannedSet, PromptLine } from './plan.js';

/** How samples become prompts. */
export interface Asking {
  prompt(sample: Sample): Omit<PromptLine, 'id'> | Promise<Omit<PromptLine, 'id'>>;
  /** In whose tokens samples are lengthened, where a source says so. */
  measure: PromptMeasure;
  /** Whether an engine answers, and no endpoint. */
  byEngine: boolean;
}

type BenchmarkSpec = EvaluationSpec['benchmarks'][number];

/** Reads every benchmark before anything is published: a mistake in the last leaves nothing behind. */
export async function publishSets(
  deps: Dependencies,
  name: string,
  spec: EvaluationSpec,
  asking: Asking,
  supervision: Supervision,
): Promise<PlannedSet[]> {
  const sets: PlannedSet[] = [];
  for (const [k, benchmark] of spec.benchmarks.entries()) {
    supervision.note(`reading ${benchmark.name}`);
    const { items, prompts, summary } = await readBenchmark(deps, `benchmarks[${k}]`, benchmark, asking, supervision);
    if (items.length === 0) {
      throw invalidEvaluation([{ path: `benchmarks[${k}].source`, problem: 'the benchmark is empty' }]);
    }
    supervision.check();
    sets.push({
      name: benchmark.name,
      metric: metricOf(benchmark),
      count: items.length,
      source: summary,
      items: await publishShared(deps.store, name, benchmark.name, linesText(items)),
      prompts: await publishPrompts(deps.store, name, benchmark.name, spec, prompts, asking.byEngine),
    });
  }
  return sets;
}

async function readBenchmark(
  deps: Dependencies,
  at: string,
  benchmark: BenchmarkSpec,
  asking: Asking,
  { call }: Supervision,
) {
  const { source, limit = Number.POSITIVE_INFINITY } = benchmark;
  const metric = metricOf(benchmark);
  const items: EvaluationItem[] = [];
  const prompts: PromptLine[] = [];
  const opened = openData(source, plain => deps.openSource(plain, call.signal), asking.measure);
  for await (const sample of opened.samples) {
    if (items.length >= limit) break;
    // Without a turn of the event loop now and then, a long tokenisation would not heartbeat.
    await setImmediate();
    call.signal.throwIfAborted();
    const { id, task, answers, documents } = sample;
    // A judge is asked what the question is, not what was written over it.
    const { question } = sample.original ?? sample;
    const problem = unreadableGold({ task, question, answers, metric });
    if (problem !== null) {
      throw invalidEvaluation([{ path: `${at}.source`, problem: `sample ${JSON.stringify(id)}: ${problem}` }]);
    }
    items.push({ id, task, question, answers, documentsSha256: hashOf(documents) });
    prompts.push({ id, ...(await asking.prompt(sample)) });
  }
  return { items, prompts, summary: opened.summary() };
}

/** What the benchmark is called by its authors: from the spec, its name, or the only one of the source's kind. */
export function metricOf({
  name,
  metric,
  source,
}: Pick<BenchmarkSpec, 'name' | 'metric'> & { source: Pick<DataSource, 'type'> }): BenchmarkName {
  if (metric !== undefined) return metric;
  if (isBenchmark(name)) return name;
  const kinds = Object.keys(BENCHMARKS).filter(isBenchmark);
  const ofSource = kinds.filter(kind => (BENCHMARKS[kind].sources as readonly string[]).includes(source.type));
  return ofSource.length === 1 ? ofSource[0]! : 'custom';
}

async function publishPrompts(
  store: Store,
  name: string,
  set: string,
  { sampling, samples, shards }: EvaluationSpec,
  prompts: PromptLine[],
  byEngine: boolean,
): Promise<ArtifactRef> {
  const lengths = prompts.map(({ tokens, memory, text = '' }) => {
    const calls = memory ? callsFor(memory) : 1;
    return (tokens ?? text.length) + samples * calls * sampling.maxNewTokens;
  });
  const starts = byEngine ? partStarts(lengths, ENGINE_PARTS, shards) : partStarts(lengths, ENDPOINT_PARTS);
  const list: PartList = { count: prompts.length, parts: [] };
  for (const [k, from] of starts.entries()) {
    const lines = prompts.slice(from, starts[k + 1]);
    const ref = await publishShared(store, name, `${set}.prompts`, linesText(lines));
    const tokens = lengths.slice(from, starts[k + 1]).reduce((sum, length) => sum + length, 0);
    list.parts.push({ ...ref, from, count: lines.length, ...(shards !== undefined && { tokens }) });
  }
  return publishShared(store, name, `${set}.prompts`, linesText([list]));
}

/** A file named by its content. */
function publishShared(store: Store, name: string, file: string, text: string): Promise<ArtifactRef> {
  return store.publishText(evaluatedUri(name, ITEMS_FOLDER, `${file}.${sha256(text).slice(0, 16)}.jsonl`), text);
}
