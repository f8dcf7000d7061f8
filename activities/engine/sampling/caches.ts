/** The keys and values a batch of responses attends to, laid out as the decoding graph takes them. */
import { type Feeds, floats } from '../graph/index.js';
import type { DecoderConfig } from '../model/index.js';
import type { PrefillResult } from './prefill.js';

interface LayerArrays {
  keys: Float32Array;
  /** With a column of ones beside the values. */
  values: Float32Array;
}

/** Prompt lengths are rounded up to this, so that a batch's feeds change shape less often. */
const PROMPT_STEP = 64;

/**
 * The prompts' part: [B, kvHeads, P, headDim]. Positions past a prompt's end weigh nothing: their values are zeros, ones
 * included; their keys repeat the prompt's last, so that no row's largest score changes.
 */
export class PromptCache {
  private constructor(
    private readonly config: DecoderConfig,
    /** Of each prompt. */
    private readonly tokens: readonly number[],
    private readonly length: number,
    private readonly layers: LayerArrays[],
  ) {}

  /** Room for prompts of so many tokens each; `fill` puts them in. */
  static forPrompts(config: DecoderConfig, tokens: readonly number[]): PromptCache {
    const longest = tokens.reduce((a, b) => Math.max(a, b), 0);
    const length = Math.max(1, Math.ceil(longest / PROMPT_STEP)) * PROMPT_STEP;
    const positions = tokens.length * config.kvHeads * length;
    const layers = Array.from({ length: config.layers }, () => ({
      keys: new Float32Array(positions * config.headDim),
      values: new Float32Array(positions * (config.headDim + 1)),
    }));
    return new PromptCache(config, tokens, length, layers);
  }

  /** Copies one prompt's into row b. */
  fill(b: number, { layers, rows, first, tokens }: PrefillResult): void {
    const { kvHeads, headDim } = this.config;
    layers.forEach(({ keys, values }, layer) => {
      const target = this.layers[layer]!;
      for (let head = 0; head < kvHeads; head++) {
        const [from, to] = [head * rows + first, this.offset(b, head, 0)];
        const copy = (into: Float32Array, of: Float32Array, width: number): void =>
          into.set(of.subarray(from * width, (from + tokens) * width), to * width);
        copy(target.keys, keys, headDim);
        copy(target.values, values, headDim + 1);
        const last = (to + tokens - 1) * headDim;
        for (let position = tokens; position < this.length; position++)
          target.keys.copyWithin((to + position) * headDim, last, last + headDim);
      }
    });
  }

  /** The cache of the prompts in rows `kept`. */
  keep(kept: readonly number[]): PromptCache {
    const layers = keepLayers(this.layers, this.tokens.length, kept);
    return new PromptCache(
      this.config,
      kept.map(row => this.tokens[row]!),
      this.length,
      layers,
    );
  }

  /** With keys that may pad the chunks of G responses to each prompt: its last one's. */
  feeds(group: number): Feeds {
    const { kvHeads, headDim } = this.config;
    const batch = this.tokens.length;
    const feeds: Feeds = {};
    this.layers.forEach(({ keys, values }, layer) => {
      feeds[`prompt_keys ${layer}`] = floats(keys, [batch, kvHeads, this.length, headDim]);
      feeds[`prompt_values ${layer}`] = floats(values, [batch, kvHeads, this.length, headDim + 1]);
      const padding = new Float32Array(batch * kvHeads * group * headDim);
      for (let sequence = 0; sequence < batch * kvHeads * group; sequence++) {
        const pair = Math.floor(sequence / group);
        const b = Math.floor(pair / kvHeads);
        const last = this.offset(b, pair % kvHeads, Math.max(0, this.tokens[b]! - 1)) * headDim;
        padding.set(keys.subarray(last, last + headDim), sequence * headDim);
      }
      feeds[`padding_keys ${layer}`] = floats(padding, [batch, kvHeads, group, 1, headDim]);
    });
    return feeds;
  }

  private offset(b: number, head: number, position: number): number {
    return (b * this.config.kvHeads + head) * this.length + position;
  }
}

/** The responses' own part from earlier runs: [B, kvHeads, G, L, headDim], empty at first. */
export class PastCache {
  private constructor(
    private readonly config: DecoderConfig,
    private readonly batch: number,
    private readonly group: number,
    private readonly length: number,
    private readonly layers: LayerArrays[],
  ) {}

  static empty(config: DecoderConfig, batch: number, group: number): PastCache {
    const layers = Array.from({ length: config.layers }, () => ({
      keys: new Float32Array(0),
      values: new Float32Array(0),
    }));
    return new PastCache(config, batch, group, 0, layers);
  }

  /** With one run's keys and values [B, kvHeads, G, 1 + tokens, …] behind those before, all but their first entry. */
  append(chunk: readonly LayerArrays[], tokens: number): PastCache {
    const sequences = this.batch * this.config.kvHeads * this.group;
    const join = (past: Float32Array, added: Float32Array, width: number): Float32Array => {
      const [p, a] = [this.length * width, tokens * width];
      const joined = new Float32Array(sequences * (p + a));
      for (let s = 0; s < sequences; s++) {
        joined.set(past.subarray(s * p, (s + 1) * p), s * (p + a));
        const entry = s * (a + width) + width;
        joined.set(added.subarray(entry, entry + a), s * (p + a) + p);
      }
      return joined;
    };
    const { headDim } = this.config;
    const layers = this.layers.map(({ keys, values }, layer) => ({
      keys: join(keys, chunk[layer]!.keys, headDim),
      values: join(values, chunk[layer]!.values, headDim + 1),
    }));
    return new PastCache(this.config, this.batch, this.group, this.length + tokens, layers);
  }

  /** The responses named: for each prompt kept its row, and its responses' places among the G (equally many for all). */
  keep(kept: readonly { row: number; places: readonly number[] }[]): PastCache {
    const { kvHeads } = this.config;
    const group = kept[0]?.places.length ?? 0;
    const sequences = kept.flatMap(({ row, places }) =>
      Array.from({ length: kvHeads }, (_, head) =>
        places.map(place => (row * kvHeads + head) * this.group + place),
      ).flat(),
    );
    const layers = keepLayers(this.layers, this.batch * kvHeads * this.group, sequences);
    return new PastCache(this.config, kept.length, group, this.length, layers);
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** None while it is empty. */
  feeds(): Feeds {
    if (this.isEmpty) return {};
    const { headDim, kvHeads } = this.config;
    const of = (data: Float32Array, width: number) =>
      floats(data, [this.batch, kvHeads, this.group, this.length, width]);
    const layers = this.layers.flatMap(({ keys, values }, layer) => [
      [`past_keys ${layer}`, of(keys, headDim)] as const,
      [`past_values ${layer}`, of(values, headDim + 1)] as const,
    ]);
    return Object.fromEntries(layers);
  }
}

function keepLayers(layers: readonly LayerArrays[], rows: number, kept: readonly number[]): LayerArrays[] {
  return layers.map(({ keys, values }) => ({ keys: takeRows(keys, rows, kept), values: takeRows(values, rows, kept) }));
}

/** Rows `kept` of an array of `rows` equal rows. */
function takeRows(data: Float32Array, rows: number, kept: readonly number[]): Float32Array {
  const width = data.length / rows;
  const taken = new Float32Array(kept.length * width);
  kept.forEach((row, i) => {
    taken.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}
