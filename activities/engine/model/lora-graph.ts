/** An adapter in the training graphs: its tensors are inputs, and are what is trained. */
import { product } from '../autodiff/index.js';
import type { Graph } from '../graph/index.js';
import type { DecoderConfig } from './config.js';
import { type Adapt, weightInputs } from './decoder.js';
import { type Adapter, adapterShapes, layerSettings, loraA, loraB, loraScale } from './lora.js';

/** What of an adapter a graph is built from; the numbers are fed. */
export type AdapterShape = Pick<Adapter, 'modules' | 'settings' | 'exceptions'>;

/** y + s (x A^T) B^T beside the adapted layers: two narrow products, and no gradient for the frozen W. */
export function loraAdaptation(g: Graph, config: DecoderConfig, adapter: AdapterShape) {
  const { modules } = adapter;
  const shapes = adapterShapes(config, modules, module => layerSettings(adapter, module).rank);
  const tensor = weightInputs(g, shapes);
  const adapted = new Set(modules);
  const adapt: Adapt = (module, x, y) => {
    if (!adapted.has(module)) return y;
    const narrow = product(g, x, tensor(loraA(module)));
    return g.op('Gemm', [narrow, tensor(loraB(module)), y], {
      transB: 1,
      alpha: { float: loraScale(adapter, module) },
    });
  };
  return { adapt, tensor, names: [...shapes.keys()] };
}
