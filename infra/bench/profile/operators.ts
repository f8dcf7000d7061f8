/** From onnxruntime's traces to what each operator took. */

/** One event of a trace, as far as it is read here: times in microseconds. */
export interface TraceEvent {
  cat: string;
  name: string;
  dur: number;
  args?: {
    op_name?: string;
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
  };
}

export interface OperatorTime {
  operator: string;
  /** Of its inputs: `4096x256, 256x680`; null where operators are taken together. */
  shapes: string | null;
  calls: number;
  seconds: number;
  /** Floating-point operations; 0 where it is no matrix product. */
  flops: number;
}

export interface Profile {
  operators: OperatorTime[];
  /** In sessions altogether, operators and what is between them. */
  seconds: number;
}

/** Their time is that of the operators within them, which have events of their own. */
const CONTAINERS = new Set(['Loop', 'If']);
const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul']);
const KERNEL = '_kernel_time';

/** @param byShapes whether an operator on other shapes is another line */
export function profileOf(traces: readonly (readonly TraceEvent[])[], byShapes: boolean): Profile {
  const lines = new Map<string, OperatorTime>();
  let seconds = 0;
  for (const event of traces.flat()) {
    if (event.cat === 'Session' && event.name === 'model_run') seconds += event.dur / 1e6;
    const { op_name: operator, input_type_shape: inputs = [], output_type_shape: outputs = [] } = event.args ?? {};
    if (event.cat !== 'Node' || !event.name.endsWith(KERNEL) || !operator || CONTAINERS.has(operator)) continue;
    const shapes = byShapes ? inputs.map(input => dims(input).join('x') || 'scalar').join(', ') : null;
    const key = `${operator} ${shapes}`;
    const line = lines.get(key) ?? { operator, shapes, calls: 0, seconds: 0, flops: 0 };
    line.calls += 1;
    line.seconds += event.dur / 1e6;
    line.flops += PRODUCTS.has(operator) ? productFlops(dims(inputs[0]), dims(outputs[0])) : 0;
    lines.set(key, line);
  }
  return { operators: [...lines.values()].sort((a, b) => b.seconds - a.seconds), seconds };
}

/** `{ float: [4096, 256] }` */
const dims = (shape: Record<string, number[]> | undefined): number[] => Object.values(shape ?? {})[0] ?? [];

/** Of [.., M, K] or its transpose times anything, giving [.., M, N]: two for each of the M N K summands. */
function productFlops(left: readonly number[], result: readonly number[]): number {
  const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  return 2 * count(left) * (result.at(-1) ?? 1);
}
