/**
 * The head over the predicting rows, block by block: log-probabilities, and in training the loss and its gradient, so that
 * the [rows, vocabulary] logits exist for one block at a time and are never kept.
 *
 * A loss here is a sum over response tokens, each term depending on its own row alone. So a block's gradient is known as
 * soon as its logits are, and forward and backward are one visit.
 *
 * Shapes: T tokens, H hidden size, V vocabulary, n blocks of R rows; the last block is filled up with rows that weigh 0.
 */
import type * as ort from 'onnxruntime-node';
import { gradients, type Truncation, tokenLogprobs } from '../autodiff/index.js';
import { floats, type Graph, integers, lengthOf, type Value } from '../graph/index.js';
import type { TokenLoss } from './losses.js';

/** Logits of one block: 16 Mi of them are 64 MB. */
const BLOCK_LOGITS = 2 ** 24;

/** Rows of one block at most, for a vocabulary of this size. */
export const rowsPerBlock = (vocabulary: number): number => Math.max(8, Math.floor(BLOCK_LOGITS / vocabulary));

export interface Head {
  /** [T, H], behind the final norm. */
  hidden: Value;
  /** [V, H] */
  weight: Value;
  inverseTemperature: Value;
  /** Where log-probabilities are of the tokens that sampling keeps. */
  truncation?: Truncation | null;
}

export interface HeadResults {
  /** [n, R] */
  logprobs: Value;
  entropies: Value;
}

/** The gradients of the loss; the head's where it is asked for. */
export interface HeadGradients {
  /** [T, H] */
  hidden: Value;
  /** [V, H] */
  weight: Value | null;
}

interface Block {
  results: { logprobs: Value; entropies: Value };
  hidden: Value;
  /** The block's entries of a value [n, R]. */
  of: (perRow: Value) => Value;
}

const rowInput = (g: Graph, name: string, type: 'float32' | 'int64'): Value => g.input(name, type, ['n', 'R']);

/** Runs `visit` over the blocks, carrying and collecting what it gives. */
function overBlocks(
  g: Graph,
  { hidden, weight, inverseTemperature, truncation = null }: Head,
  carried: readonly Value[],
  visit: (b: Graph, block: Block, carried: Value[]) => { carried: Value[]; collected: Value[] },
): { carried: Value[]; collected: Value[]; places: { stream: Value; block: Value } } {
  const rows = rowInput(g, 'head_rows', 'int64');
  const targets = rowInput(g, 'targets', 'int64');
  const places = { stream: g.input('rows', 'int64', ['rows']), block: g.input('real_rows', 'int64', ['rows']) };
  const loop = g.loop(lengthOf(g, rows), 'n', carried, (b, turn, state) => {
    const of = (perRow: Value): Value => b.op('Gather', [perRow, turn], { axis: 0 });
    const chosen = b.op('Gather', [hidden, of(rows)], { axis: 0 });
    const results = tokenLogprobs(b, chosen, weight, of(targets), inverseTemperature, truncation);
    const { carried, collected } = visit(b, { results, hidden: chosen, of }, state);
    return { carried, collected: [results.logprobs, results.entropies, ...collected] };
  });
  return { ...loop, places };
}

/** Log-probabilities alone. */
export function scoreRows(g: Graph, head: Head): HeadResults {
  const { collected } = overBlocks(g, head, [], () => ({ carried: [], collected: [] }));
  return { logprobs: collected[0]!, entropies: collected[1]! };
}

/** Log-probabilities, and the gradients of `loss`, whose inputs are declared here under their names. */
export function lossOfRows(
  g: Graph,
  head: Head,
  loss: TokenLoss,
  trainHead: boolean,
): HeadResults & { gradients: HeadGradients } {
  const scalars = new Map(loss.scalars.map(name => [name, g.input(name, 'float32', [])]));
  const perToken = new Map(loss.perToken.map(name => [name, rowInput(g, name, 'float32')]));
  const start = trainHead ? [g.op('ConstantOfShape', [g.op('Shape', [head.weight])])] : [];
  const loop = overBlocks(g, head, start, (b, { results, hidden, of }, [sum]) => {
    const fed = new Map([...scalars, ...[...perToken].map(([name, value]) => [name, of(value)] as const)]);
    const part = loss.build(b, results.logprobs, name => fed.get(name)!);
    const [gradHidden, gradHead] = gradients(b, part, trainHead ? [hidden, head.weight] : [hidden]);
    return { carried: gradHead ? [b.op('Add', [sum!, gradHead])] : [], collected: [gradHidden!] };
  });
  const [logprobs, entropies, gradBlocks] = loop.collected as [Value, Value, Value];
  // The rows filled up stand behind the real ones, which are each of their own: no index repeats.
  const width = head.hidden.shape[1]!;
  const flat = g.reshape(gradBlocks, ['R*n', width]);
  const { stream, block } = loop.places;
  const real = g.op('Gather', [flat, block], { axis: 0 });
  const zeros = g.op('ConstantOfShape', [g.op('Shape', [head.hidden])]);
  const hidden = g.op('ScatterND', [zeros, g.reshape(stream, ['rows', 1]), real]);
  return { logprobs, entropies, gradients: { hidden, weight: loop.carried[0] ?? null } };
}

/** How the predicting rows of a batch are laid out in blocks. */
export class HeadBlocks {
  private readonly count: number;
  private readonly size: number;

  constructor(
    private readonly rows: readonly number[],
    perBlock: number,
  ) {
    this.count = Math.ceil(rows.length / perBlock);
    // A product with a single row sums in another order than one with several.
    this.size = Math.max(2, Math.ceil(rows.length / this.count));
  }

  /** The feeds of both functions above but the loss's own. */
  feeds(targets: readonly number[]): Record<string, ort.Tensor> {
    return {
      head_rows: this.integers(this.rows),
      targets: this.integers(targets),
      rows: integers(this.rows, [this.rows.length]),
      real_rows: integers([...this.rows.keys()], [this.rows.length]),
    };
  }

  /** One number a predicting row. */
  floats(values: Float32Array): ort.Tensor {
    const filled = new Float32Array(this.count * this.size);
    filled.set(values);
    return floats(filled, [this.count, this.size]);
  }

  private integers(values: readonly number[]): ort.Tensor {
    const filled = [...values, ...new Array<number>(this.count * this.size - values.length).fill(values[0]!)];
    return integers(filled, [this.count, this.size]);
  }
}
