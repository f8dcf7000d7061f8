/** A compiled graph: an onnxruntime session that checks what it is fed. */
import * as ort from 'onnxruntime-node';
import type { Tensors } from '../files/index.js';
import { EngineRequestError } from '../protocol/index.js';
import type { Dim } from './dims.js';
import type { Graph } from './graph.js';
import { encodeModel } from './onnx.js';
import { PROVIDERS, type Provider } from './providers.js';

export type Feeds = Record<string, ort.Tensor>;

/** How graphs use the machine. */
export interface SessionSettings {
  /** Threads inside one operator. */
  threads: number;
  /** Bytes that a backward pass may keep in activations before it is cut into segments; unbounded unless told. */
  memory?: number;
  /** The CPU's unless told. */
  provider?: Provider;
}

/** Names feeds that are unknown, which onnxruntime drops (findings/onnxruntime-node-drops-feeds.sh), and missing ones at once. */
export class CompiledGraph {
  private constructor(
    private readonly name: string,
    private readonly session: ort.InferenceSession,
    /** What results need; other declared inputs may be fed and are left out. */
    private readonly inputs: ReadonlyMap<string, { type: string; shape: readonly Dim[] }>,
    private readonly declared: ReadonlySet<string>,
  ) {}

  /** @param constants those of the graph's inputs that stay as they are: not fed, but laid out once for what reads them */
  static async compile(
    graph: Graph,
    settings: SessionSettings,
    constants: Tensors = new Map(),
  ): Promise<CompiledGraph> {
    const provider = settings.provider ?? 'cpu';
    const fed = ({ name }: { name: string }): boolean => !constants.has(name);
    const held = graph.usedInputs().filter(input => !fed(input));
    const bytes = encodeModel(graph.message(true, PROVIDERS[provider].lowerings, new Set(constants.keys())));
    const session = await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      // Planned ahead, a run's memory was half as large again (and as fast): plans do not look into loops.
      enableMemPattern: false,
      externalData: held.map(({ name }) => ({ path: name, data: bytesOf(constants.get(name)!.data) })),
      // Several sessions take turns on few cores: one that idles must not spin.
      extra: {
        session: { force_spinning_stop: '1' },
        // These undo the transposing by which sums keep their order (product.ts).
        optimization: { disable_specified_optimizers: 'GemmTransposeFusion;MatmulTransposeFusion' },
      },
    });
    const used = graph.usedInputs().filter(fed);
    const inputs = new Map(used.map(v => [v.name, { type: v.type, shape: v.shape }]));
    return new CompiledGraph(graph.name, session, inputs, new Set(graph.inputs.filter(fed).map(v => v.name)));
  }

  get inputNames(): string[] {
    return [...this.inputs.keys()];
  }

  /** @throws EngineRequestError (internal) naming a missing or unknown feed, or one of the wrong type or shape */
  async run(feeds: Feeds): Promise<Record<string, ort.Tensor>> {
    for (const name of Object.keys(feeds)) if (!this.declared.has(name)) throw this.refuse(name, 'is unknown');
    const symbols = new Map<string, number>();
    for (const [name, { type, shape }] of this.inputs) {
      const feed = feeds[name];
      if (!feed) throw this.refuse(name, 'is missing');
      if (feed.type !== type) throw this.refuse(name, `is ${feed.type}, expected ${type}`);
      if (feed.dims.length !== shape.length) throw this.refuse(name, `has shape [${feed.dims}], expected [${shape}]`);
      shape.forEach((dim, i) => {
        const actual = feed.dims[i]!;
        const expected = typeof dim === 'number' ? dim : (symbols.get(dim) ?? actual);
        if (typeof dim === 'string') symbols.set(dim, expected);
        if (actual !== expected)
          throw this.refuse(name, `has shape [${feed.dims}], expected [${shape}] with ${dim} = ${expected}`);
      });
    }
    const known: Feeds = {};
    for (const name of this.inputs.keys()) known[name] = feeds[name]!;
    const results = await this.session.run(known);
    return results as Record<string, ort.Tensor>;
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private refuse(input: string, problem: string): EngineRequestError {
    return new EngineRequestError(`graph "${this.name}": input "${input}" ${problem}`, 'internal');
  }
}

/**
 * Compiled graphs by key, the last `limit` used: sessions are dear to make, so they are kept, but each holds on to the
 * most memory it ever needed, so not all of them.
 */
export class GraphCache {
  private readonly graphs = new Map<string, Promise<CompiledGraph>>();

  constructor(
    private readonly limit: number,
    private readonly settings: SessionSettings,
  ) {}

  /** With a smaller `limit` for once, more of the others are let go first. The key stands for the constants too. */
  async get(
    key: string,
    build: () => Graph,
    { limit = this.limit, constants }: { limit?: number; constants?: Tensors } = {},
  ): Promise<CompiledGraph> {
    const known = this.graphs.get(key);
    this.graphs.delete(key);
    while (this.graphs.size >= limit) await this.drop(this.graphs.keys().next().value!);
    const graph = known ?? CompiledGraph.compile(build(), this.settings, constants);
    this.graphs.set(key, graph);
    // One that could not be made (for want of memory, say) is asked for again the next time.
    graph.catch(() => this.graphs.delete(key));
    return graph;
  }

  async release(): Promise<void> {
    for (const key of [...this.graphs.keys()]) await this.drop(key);
  }

  private async drop(key: string): Promise<void> {
    const graph = await this.graphs.get(key)!;
    this.graphs.delete(key);
    await graph.release();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const floats = (data: Float32Array, dims: readonly number[]): ort.Tensor =>
  new ort.Tensor('float32', data, dims);

export const integers = (data: readonly number[], dims: readonly number[]): ort.Tensor =>
  new ort.Tensor('int64', BigInt64Array.from(data, BigInt), dims);

export const bools = (data: readonly boolean[]): ort.Tensor =>
  new ort.Tensor('bool', Uint8Array.from(data, Number), [data.length]);

export const floatScalar = (value: number): ort.Tensor => floats(Float32Array.of(value), []);

/** A model's tensors as feeds under their names, not copied. */
export const weightFeeds = (weights: Tensors): Feeds =>
  Object.fromEntries([...weights].map(([name, { data, shape }]) => [name, floats(data, shape)]));

/** A result's data as what the graph declared it to be. */
export function floatData(results: Record<string, ort.Tensor>, name: string): Float32Array {
  return results[name]!.data as Float32Array;
}
