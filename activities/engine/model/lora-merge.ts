/** Adapters laid into the weights, W + s B A, so that prefill and decoding cost what they cost without one. */
import type { Tensors } from '../files/index.js';
import { CompiledGraph, floatData, floatScalar, floats, Graph, type SessionSettings } from '../graph/index.js';
import { type Adapter, loraA, loraB, loraScale } from './lora.js';

/** One layer of any size: the scale goes into the small B, the sum into the product. */
function mergeGraph(): Graph {
  const g = new Graph('lora merge');
  const [w, a, b] = [
    g.input('w', 'float32', ['out', 'in']),
    g.input('a', 'float32', ['rank', 'in']),
    g.input('b', 'float32', ['out', 'rank']),
  ];
  const scaled = g.op('Mul', [b, g.input('scale', 'float32', [])]);
  g.output('merged', g.op('Gemm', [scaled, a, w]));
  return g;
}

export class LoraMerge {
  private constructor(private readonly graph: CompiledGraph) {}

  static async create(settings: SessionSettings): Promise<LoraMerge> {
    return new LoraMerge(await CompiledGraph.compile(mergeGraph(), settings));
  }

  /** The model's tensors with the adapter in them: adapted layers are fresh arrays, all others those of `base`. */
  async merge(base: Tensors, adapter: Adapter): Promise<Tensors> {
    const merged = new Map(base);
    const feed = (tensors: Tensors, name: string) => {
      const { data, shape } = tensors.get(name)!;
      return floats(data, shape);
    };
    for (const module of adapter.modules) {
      const name = `${module}.weight`;
      const results = await this.graph.run({
        w: feed(base, name),
        a: feed(adapter.tensors, loraA(module)),
        b: feed(adapter.tensors, loraB(module)),
        scale: floatScalar(loraScale(adapter, module)),
      });
      merged.set(name, { shape: base.get(name)!.shape, data: floatData(results, 'merged') });
    }
    return merged;
  }

  release(): Promise<void> {
    return this.graph.release();
  }
}
