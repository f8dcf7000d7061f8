/** Operators that an execution provider has no kernel for, which would run on the processor, and what they are made of there. */
import type { Graph, Lowerings, Value } from './graph.js';
import { transposed } from './transposed.js';

/** The same value. What computes with it may then be on the device: see Loop. */
const anchored = (g: Graph, x: Value): Value => g.op('Reshape', [x, g.op('Shape', [x])]);

export const WEBGPU_LOWERINGS: Lowerings = {
  FusedMatMul: (g, [a, b], { transA, transB, alpha }) => {
    const scale = (alpha as { float: number } | undefined)?.float ?? 1;
    const scaled = scale === 1 ? a! : g.op('Mul', [a!, g.scalar(scale)]);
    const left = transA === 1 ? transposed(g, scaled) : scaled;
    return [g.op('MatMul', [left, transB === 1 ? transposed(g, b!) : b!])];
  },
  QuickGelu: (g, [x], { alpha }) => {
    const { float } = alpha as { float: number };
    const scaled = float === 1 ? x! : g.op('Mul', [x!, g.scalar(float)]);
    return [g.op('Mul', [x!, g.op('Sigmoid', [scaled])])];
  },
  /** Of rows: the largest is taken off first, so that no exponential overflows. */
  LogSoftmax: (g, [x]) => {
    const shifted = g.op('Sub', [x!, g.max(x!, [-1])]);
    return [g.op('Sub', [shifted, g.op('ReduceLogSumExp', [shifted, g.ints([-1])], { keepdims: 1 })])];
  },
  ConstantOfShape: (g, [shape]) => [g.op('Expand', [g.scalar(0), shape!])],
  /**
   * Control flow stays on the processor. But onnxruntime leaves there also what follows it, as if it were arithmetic of shapes,
   * until a node reads what was computed on the device, and fed weights do not count as that: it was most of a model
   * (findings/onnxruntime-webgpu-leaves-the-device.sh). A shape that is read from the processor's side ends that.
   */
  Loop: (g, _inputs, _attributes, asIs) => asIs().map(x => (x.type === 'float32' ? anchored(g, x) : x)),
};
