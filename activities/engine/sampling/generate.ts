/**
 * Rollouts: each prompt is computed once, its G responses decode together, and responses that have ended leave the batch.
 * Uniform numbers come from the response's own stream. On the processor no row's arithmetic depends on the rows beside it
 * either, neither in prefill nor in decoding, so a response depends on weights, prompt and seed only; other providers choose
 * how to sum by the shapes of what they multiply, so there the last bits also go by what is computed together.
 */
import { truncationFeeds } from '../autodiff/index.js';
import type { Tensors } from '../files/index.js';
import {
  bools,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  integers,
  PROVIDERS,
  type SessionSettings,
} from '../graph/index.js';
import type { DecoderConfig, RotaryTable } from '../model/index.js';
import type { GeneratedResponse, GeneratePrompt, GenerateRequest, SamplingSettings } from '../protocol/index.js';
import { PastCache, PromptCache } from './caches.js';
import { DecodingGraphs } from './decoding-graphs.js';
import { Prefill } from './prefill.js';
import { collect, type Group, linesOf, openGroup, placesIn, type Row, sameRows, stillRunning } from './rows.js';
import { samplingMode } from './sampling.js';

/** Bounds of one batch: responses decoded together, and bytes of prompt keys and values held for them. */
const MAX_ROWS = 256;
const MAX_CACHE_BYTES = 2 ** 30;

/** Called after each set of prompts computed and each run with the new tokens so far; throws to end the work there. */
export type OnTokens = (newTokens: number) => Promise<void>;

export class Generator {
  private readonly prefill: Prefill;
  private readonly graphs: DecodingGraphs;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    private readonly settings: SessionSettings,
  ) {
    this.graphs = new DecodingGraphs(config, settings);
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
    const weightBytes = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    for (const batch of this.batches(prompts, group, weightBytes)) {
      const groups = batch.map(index => openGroup(index, prompts[index]!, group));
      await this.decode(weights, groups, sampling, count);
      for (const { index, responses } of groups)
        results[index] = responses.map(({ ids, logprobs, finish }) => ({ ids, logprobs, finish }));
    }
    return results;
  }

  /** Before the weights change: what was made of them takes as much memory as they do. */
  forgetPolicy(): Promise<void> {
    return this.graphs.forgetPolicy();
  }

  async release(): Promise<void> {
    await this.prefill.release();
    await this.graphs.release();
  }

  /**
   * Prompts of like length go together: a batch's caches are as long as its longest prompt. A batch ends where filling up
   * the shorter prompts would cost more than reading the weights once more: both are read once a token.
   */
  private batches(prompts: readonly GeneratePrompt[], group: number, weightBytes: number): number[][] {
    const { layers, kvHeads, headDim } = this.config;
    const bytesPerToken = layers * kvHeads * (2 * headDim + 1) * 4;
    const tokens = (index: number): number => prompts[index]!.ids.length;
    const order = prompts.map((_, i) => i).sort((a, b) => tokens(a) - tokens(b) || a - b);
    const batches: number[][] = [];
    for (const index of order) {
      const current = batches.at(-1) ?? [];
      const size = current.length + 1;
      const held = size * tokens(index) * bytesPerToken;
      const filler = current.reduce((sum, other) => sum + tokens(index) - tokens(other), 0) * bytesPerToken;
      const fits = size * group <= MAX_ROWS && held <= MAX_CACHE_BYTES && filler <= weightBytes;
      if (current.length > 0 && fits) current.push(index);
      else batches.push([index]);
    }
    return batches;
  }

  private async decode(
    weights: Tensors,
    groups: readonly Group[],
    sampling: SamplingSettings,
    count: (added: number) => Promise<void>,
  ): Promise<void> {
    const fixed = { ...this.graphs.feeds(weights), ...samplingFeeds(sampling, this.config.vocabularySize) };
    const all = groups.map(group => ({ group, places: [...group.responses.keys()] }));
    let rows = this.filled(all);
    let prompt = await this.prefillAll(weights, groups, count);
    let past = PastCache.empty(this.config, rows.length, rows[0]!.places.length);
    // Responses that have ended leave the batch between runs.
    const chunk = PROVIDERS[this.settings.provider ?? 'cpu'].decodeChunk;
    for (let start = 0; start < sampling.maxNewTokens && rows.length > 0; start += chunk) {
      const turns = Math.min(chunk, sampling.maxNewTokens - start);
      const graph = await this.graphs.get(samplingMode(sampling), past.isEmpty, weights);
      const fed = {
        ...fixed,
        ...prompt.feeds(rows[0]!.places.length),
        ...this.turnFeeds(rows, start, turns),
      };
      const outputs = await graph.run({
        ...fed,
        ...(past.isEmpty && this.graphs.wantsPast(true) ? this.padded(fed) : past.feeds()),
      });
      await count(collect(rows, outputs, sampling.stopIds));
      const added = Array.from({ length: this.config.layers }, (_, layer) => ({
        keys: floatData(outputs, `chunk_keys ${layer}`),
        values: floatData(outputs, `chunk_values ${layer}`),
      }));
      past = past.append(added, (outputs.tokens!.dims as number[])[0]!);
      const left = this.filled(stillRunning(rows));
      if (sameRows(left, rows)) continue;
      const from = left.map(({ group }) => rows.findIndex(row => row.group === group));
      if (left.length < rows.length) prompt = prompt.keep(from);
      past = past.keep(left.map(({ places }, i) => ({ row: from[i]!, places: placesIn(rows[from[i]!]!, places) })));
      rows = left;
    }
  }

  /** Rows of one width. A product with a single row sums in another order than one with several, so none is left with one. */
  private filled(rows: readonly Row[]): Row[] {
    const alone = this.config.heads === this.config.kvHeads || rows.length === 1;
    const width = rows.reduce((longest, { places }) => Math.max(longest, places.length), alone ? 2 : 1);
    return rows.map(({ group, places }) => ({
      group,
      places: Array.from({ length: width }, (_, i) => places[Math.min(i, places.length - 1)]!),
    }));
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
    const opened = groups.flatMap(({ prompt: { ids } }, b) => (ids.length === 1 ? [] : [{ b, ids: ids.slice(0, -1) }]));
    for (const set of this.prefill.together(opened.map(({ ids }) => ids.length))) {
      const prompts = set.map(i => opened[i]!);
      const results = await this.prefill.run(
        weights,
        prompts.map(({ ids }) => ids),
      );
      for (const [i, { b }] of prompts.entries()) cache.fill(b, results[i]!);
      await count(0);
    }
    await this.prefill.settle();
    return cache;
  }

  /** What changes from run to run. */
  private turnFeeds(rows: readonly Row[], start: number, turns: number): Feeds {
    const { heads, kvHeads, headDim } = this.config;
    const batch = rows.length;
    const group = rows[0]!.places.length;
    const lines = linesOf(rows);
    const positions = lines.map(({ prompt }) => prompt.ids.length - 1 + start);
    const uniforms = new Float32Array(turns * lines.length);
    lines.forEach(({ response, filler }, line) => {
      if (filler) return;
      for (let turn = 0; turn < turns; turn++) uniforms[turn * lines.length + line] = response.stream.uniform();
    });
    const entry = (width: number, value = 0) =>
      floats(new Float32Array(batch * kvHeads * group * width).fill(value), [batch, kvHeads, group, 1, width]);
    return {
      ...this.rotary.feeds(positions.reduce((a, b) => Math.max(a, b), 0) + turns),
      ids: integers(
        lines.map(({ prompt, response }) => response.ids.at(-1) ?? prompt.ids.at(-1)!),
        [lines.length],
      ),
      positions: integers(positions, [lines.length, 1]),
      uniforms: floats(uniforms, [turns, lines.length]),
      done: bools(lines.map(({ response, filler }) => response.finish === 'stop' || filler)),
      turns: integers([turns], []),
      batch: integers([batch], [1]),
      group: integers([group], [1]),
      group_rows: integers([(group * heads) / kvHeads], [1]),
      batch_rows: integers([lines.length], [1]),
      padding_values: entry(headDim + 1),
      ones: entry(1, 1),
    };
  }

  /** A past of one entry: that which also pads the chunk. */
  private padded(feeds: Feeds): Feeds {
    const layers = Array.from({ length: this.config.layers }, (_, layer) => [
      [`past_keys ${layer}`, feeds[`padding_keys ${layer}`]!] as const,
      [`past_values ${layer}`, feeds.padding_values!] as const,
    ]);
    return Object.fromEntries(layers.flat());
  }
}

/** Greedy responses report log-probabilities at temperature 1. */
function samplingFeeds({ temperature, stopIds, ...truncation }: SamplingSettings, vocabulary: number): Feeds {
  // No id is -1: a list without stop ids still needs an entry.
  const stops = stopIds.length > 0 ? stopIds : [-1];
  return {
    inverse_temperature: floatScalar(temperature === 0 ? 1 : 1 / temperature),
    ...truncationFeeds(truncation, vocabulary),
    stop_ids: integers(stops, [1, stops.length]),
  };
}
