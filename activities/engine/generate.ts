/**
 * Rollouts: each prompt is computed once, its G responses decode together, and groups whose responses have all ended leave
 * the batch. A response depends on weights, prompt and seed only: prompts are prefilled alone, uniform numbers come from
 * the response's own stream, and no row's arithmetic depends on the rows beside it.
 */

import { PastCache, PromptCache } from './caches.js';
import type { DecoderConfig } from './config.js';
import { CHUNK, decodingGraph } from './decoding.js';
import { Prefill, type PrefillResult } from './prefill.js';
import type { GeneratedResponse, GeneratePrompt, GenerateRequest, SamplingSettings } from './protocol.js';
import { randomStream } from './random.js';
import type { RotaryTable } from './rotary.js';
import type { Tensors } from './safetensors.js';
import { type SamplingMode, samplingMode } from './sampling.js';
import {
  bools,
  type CompiledGraph,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  GraphCache,
  integers,
  type SessionSettings,
  weightFeeds,
} from './session.js';

/** Bounds of one batch: responses decoded together, and bytes of prompt keys and values held for them. */
const MAX_ROWS = 256;
const MAX_CACHE_BYTES = 2 ** 30;

/** A product with a single row sums in another order than one with several, so a lone response decodes beside a copy. */
const MIN_ROWS = 2;

/** Training samples in groups, evaluation greedily: one graph each. */
const DECODING_GRAPHS = 2;

/** One prompt being answered. */
interface Group {
  /** Index in the request. */
  index: number;
  prompt: GeneratePrompt;
  responses: GeneratedResponse[];
  streams: { uniform(): number }[];
}

/** Called after each prompt computed and each run with the new tokens so far; throws to end the work there. */
export type OnTokens = (newTokens: number) => Promise<void>;

export class Generator {
  private readonly prefill: Prefill;
  private readonly graphs: GraphCache;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    settings: SessionSettings,
  ) {
    this.graphs = new GraphCache(DECODING_GRAPHS, settings);
    this.prefill = new Prefill(config, rotary, settings);
  }

  /** @returns the responses of each prompt, in the request's order */
  async run(
    weights: Tensors,
    { prompts, group, sampling }: GenerateRequest,
    onTokens: OnTokens,
  ): Promise<GeneratedResponse[][]> {
    const results: GeneratedResponse[][] = [];
    let tokens = 0;
    const count = (added: number): Promise<void> => {
      tokens += added;
      return onTokens(tokens);
    };
    for (const batch of this.batches(prompts, group)) {
      const groups = batch.map(index => openGroup(index, prompts[index]!, group));
      const companions = groups.length * group < MIN_ROWS ? groups.map(g => openGroup(g.index, g.prompt, group)) : [];
      await this.decode(weights, [...groups, ...companions], group, sampling, count);
      for (const { index, responses } of groups) results[index] = responses;
    }
    return results;
  }

  async release(): Promise<void> {
    await this.prefill.release();
    await this.graphs.release();
  }

  /** Prompts of like length go together: a batch's caches are as long as its longest prompt. */
  private batches(prompts: readonly GeneratePrompt[], group: number): number[][] {
    const { layers, kvHeads, headDim } = this.config;
    const bytesPerToken = layers * kvHeads * (2 * headDim + 1) * 4;
    const order = prompts.map((_, i) => i).sort((a, b) => prompts[a]!.ids.length - prompts[b]!.ids.length || a - b);
    const batches: number[][] = [];
    for (const index of order) {
      const current = batches.at(-1);
      const size = (current?.length ?? 0) + 1;
      const fits = size * group <= MAX_ROWS && size * prompts[index]!.ids.length * bytesPerToken <= MAX_CACHE_BYTES;
      if (current && fits) current.push(index);
      else batches.push([index]);
    }
    return batches;
  }

  private async decode(
    weights: Tensors,
    groups: Group[],
    group: number,
    sampling: SamplingSettings,
    count: (added: number) => Promise<void>,
  ): Promise<void> {
    const graph = await this.graph(samplingMode(sampling), group);
    const fixed = { ...weightFeeds(weights), ...samplingFeeds(sampling, this.config.vocabularySize) };
    let prompt = await this.prefillAll(weights, groups, count);
    let past = PastCache.empty(this.config, groups.length, group);
    let active = groups;
    for (let start = 0; start < sampling.maxNewTokens && active.length > 0; start += CHUNK) {
      const turns = Math.min(CHUNK, sampling.maxNewTokens - start);
      const outputs = await graph.run({
        ...fixed,
        ...prompt.feeds(),
        ...past.feeds(),
        ...this.turnFeeds(active, group, start, turns),
      });
      await count(collect(active, outputs, group, sampling.stopIds));
      const chunk = Array.from({ length: this.config.layers }, (_, layer) => ({
        keys: floatData(outputs, `chunk_keys ${layer}`),
        values: floatData(outputs, `chunk_values ${layer}`),
      }));
      past = past.append(chunk, CHUNK);
      const kept = stillRunning(active, group);
      if (kept.length < active.length) {
        prompt = prompt.keep(kept);
        past = past.keep(kept);
        active = kept.map(b => active[b]!);
      }
    }
  }

  private async prefillAll(
    weights: Tensors,
    groups: readonly Group[],
    count: (added: number) => Promise<void>,
  ): Promise<PromptCache> {
    const cache = PromptCache.forPrompts(
      this.config,
      groups.map(g => g.prompt.ids.length - 1),
    );
    let last: { prompt: GeneratePrompt; result: PrefillResult } | undefined;
    for (const [b, { prompt }] of groups.entries()) {
      if (prompt.ids.length === 1) continue;
      if (last?.prompt !== prompt) last = { prompt, result: await this.prefill.run(weights, prompt.ids.slice(0, -1)) };
      cache.fill(b, last.result);
      await count(0);
    }
    return cache;
  }

  /** What changes from run to run. */
  private turnFeeds(active: readonly Group[], group: number, start: number, turns: number): Feeds {
    const { kvHeads, headDim, layers } = this.config;
    const rows = active.flatMap(g => g.responses.map((response, i) => ({ group: g, response, stream: g.streams[i]! })));
    const positions = rows.map(({ group: g }) => g.prompt.ids.length - 1 + start);
    const uniforms = new Float32Array(CHUNK * rows.length);
    rows.forEach(({ stream }, row) => {
      for (let turn = 0; turn < turns; turn++) uniforms[turn * rows.length + row] = stream.uniform();
    });
    const dims = [active.length, kvHeads, group, CHUNK];
    const size = active.length * kvHeads * group * CHUNK;
    const empty: Feeds = {};
    for (let layer = 0; layer < layers; layer++) {
      empty[`empty_keys ${layer}`] = floats(new Float32Array(size * headDim), [...dims, headDim]);
      empty[`empty_values ${layer}`] = floats(new Float32Array(size * (headDim + 1)), [...dims, headDim + 1]);
    }
    return {
      ...empty,
      ...this.rotary.feeds(positions.reduce((a, b) => Math.max(a, b), 0) + turns),
      ids: integers(
        rows.map(({ group: g, response }) => response.ids.at(-1) ?? g.prompt.ids.at(-1)!),
        [rows.length],
      ),
      positions: integers(positions, [rows.length, 1]),
      uniforms: floats(uniforms, [CHUNK, rows.length]),
      done: bools(rows.map(({ response }) => response.finish === 'stop')),
      turns: integers([turns], []),
      ones: floats(new Float32Array(active.length * kvHeads * group).fill(1), [active.length, kvHeads, group, 1, 1]),
    };
  }

  private graph(mode: SamplingMode, group: number): Promise<CompiledGraph> {
    return this.graphs.get(`${mode}/${group}`, () => decodingGraph(this.config, mode, group));
  }
}

function openGroup(index: number, prompt: GeneratePrompt, group: number): Group {
  const responses = Array.from(
    { length: group },
    (): GeneratedResponse => ({ ids: [], logprobs: [], finish: 'length' }),
  );
  return { index, prompt, responses, streams: responses.map((_, i) => randomStream(prompt.seed, i)) };
}

/** Rows of the groups with a response that has not ended, and, if that leaves fewer than MIN_ROWS responses, one more. */
function stillRunning(active: readonly Group[], group: number): number[] {
  const running = active.flatMap((g, b) => (g.responses.some(r => r.finish === 'length') ? [b] : []));
  if (running.length === 0 || running.length * group >= MIN_ROWS) return running;
  const other = running[0] === 0 ? 1 : 0;
  return [running[0]!, other].sort((x, y) => x - y);
}

/** Appends one run's tokens [turns, rows] to the responses that had not ended; gives back how many there were. */
function collect(active: readonly Group[], outputs: Feeds, group: number, stopIds: readonly number[]): number {
  const tokens = outputs.tokens!.data as BigInt64Array;
  const logprobs = floatData(outputs, 'logprobs');
  const rows = active.length * group;
  const stops = new Set(stopIds);
  let added = 0;
  active.forEach(({ responses }, b) => {
    responses.forEach((response, i) => {
      for (let at = b * group + i; at < tokens.length && response.finish === 'length'; at += rows) {
        const id = Number(tokens[at]);
        response.ids.push(id);
        response.logprobs.push(logprobs[at]!);
        if (stops.has(id)) response.finish = 'stop';
        added += 1;
      }
    });
  });
  return added;
}

/** Greedy responses report log-probabilities at temperature 1. */
function samplingFeeds({ temperature, topP, topK, stopIds }: SamplingSettings, vocabulary: number): Feeds {
  // No id is -1: a list without stop ids still needs an entry.
  const stops = stopIds.length > 0 ? stopIds : [-1];
  return {
    inverse_temperature: floatScalar(temperature === 0 ? 1 : 1 / temperature),
    top_p: floatScalar(topP),
    top_k: floatScalar(topK === 0 ? vocabulary : Math.min(topK, vocabulary)),
    stop_ids: integers(stops, [1, stops.length]),
  };
}
