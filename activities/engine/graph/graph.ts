/**
 * A builder of ONNX graphs that knows every value's element type and shape.
 *
 * Each operator's shape rule stands in one table (operators.ts). Whatever is built is also written to a tape, which
 * gradients.ts walks backwards; a composite operator (attention, say) puts many nodes in the graph and one entry on the tape.
 */
import { callSite } from './call-site.js';
import { type Dim, isStatic, product, sameShape, showShape } from './dims.js';
import { Names } from './names.js';
import {
  type Attributes,
  ELEMENT_TYPES,
  type ElementType,
  externalTensor,
  type GraphMessage,
  nodeMessage,
  type TensorMessage,
  type ValueMessage,
  valueMessage,
} from './onnx.js';
import { OPERATORS, type Typed } from './operators.js';

export interface Value extends Typed {
  readonly name: string;
}

/** What differentiation needs to know of one operator's use. */
export interface TapeEntry {
  operator: string;
  inputs: readonly Value[];
  outputs: readonly Value[];
  attributes: Attributes;
}

/** A node in another provider's words: the same results from operators that it has. `asIs` puts the node itself there. */
export type Lowering = (g: Graph, inputs: readonly Value[], attributes: Attributes, asIs: () => Value[]) => Value[];

/** By operator: those that are put into other words. */
export type Lowerings = Readonly<Record<string, Lowering>>;

/** An operator's use, with the bodies of a loop or a condition. */
interface Node {
  operator: string;
  domain: string;
  inputs: readonly Value[];
  outputs: readonly Value[];
  attributes: Attributes;
  bodies: Readonly<Record<string, Graph>>;
  /** Names that the bodies read from around them. */
  around: ReadonlySet<string>;
  /** What a lowering has already put as it should be. */
  final?: boolean;
}

export class GraphError extends Error {
  override readonly name = 'GraphError';
}

export class Graph {
  readonly tape: TapeEntry[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: { name: string; value: Value }[] = [];
  private readonly nodes: Node[] = [];
  private readonly initializers: TensorMessage[] = [];
  private readonly scalars = new Map<string, Value>();
  private recording = true;

  constructor(
    readonly name: string,
    private readonly names: Names = new Names(),
  ) {}

  /** A value fed at every run (or, in a loop's body, at every turn). */
  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    if (this.inputs.some(v => v.name === name))
      throw new GraphError(`input "${name}" is declared twice at ${callSite()}`);
    const value = { name, type, shape };
    this.inputs.push(value);
    return value;
  }

  /** Declares a result under a name of its own. */
  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  constant(type: ElementType, shape: readonly number[], data: readonly number[]): Value {
    const name = this.names.fresh('constant');
    const bytes = {
      float32: () => Float32Array.from(data),
      int64: () => BigInt64Array.from(data, BigInt),
      bool: () => Uint8Array.from(data),
    }[type]();
    this.initializers.push({
      name,
      dims: [...shape],
      data_type: ELEMENT_TYPES[type],
      raw_data: new Uint8Array(bytes.buffer),
    });
    return { name, type, shape, ...(type === 'int64' && { data }) };
  }

  /** A constant of rank 0, made once. */
  scalar(value: number, type: ElementType = 'float32'): Value {
    const key = `${type}:${Object.is(value, -0) ? '-0' : value}`;
    const known = this.scalars.get(key) ?? this.constant(type, [], [value]);
    this.scalars.set(key, known);
    return known;
  }

  /** A constant list of integers (shapes, axes, split sizes). */
  ints(values: readonly number[]): Value {
    return this.constant('int64', [values.length], values);
  }

  /** One operator with one result. */
  op(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(operator, inputs, attributes)[0]!;
  }

  /** One operator with all its results. */
  ops(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value[] {
    const rule = OPERATORS[operator];
    if (!rule) throw new GraphError(`no operator "${operator}" in the table, asked for at ${callSite()}`);
    let types: Typed[];
    try {
      types = rule.infer(inputs, attributes);
    } catch (error) {
      const given = inputs.map(v => `${v.name}: ${v.type}${showShape(v.shape)}`).join(', ');
      throw new GraphError(`${operator}(${given}): ${(error as Error).message}; built at ${callSite()}`);
    }
    const outputs = types.map(typed => ({ ...typed, name: this.names.fresh(operator) }));
    this.node(operator, rule.domain ?? '', inputs, outputs, attributes);
    this.record(operator, inputs, outputs, attributes);
    return outputs;
  }

  /** Builds many nodes and puts them on the tape as one operator with a gradient rule of its own. */
  composite(operator: string, inputs: readonly Value[], attributes: Attributes, build: () => Value[]): Value[] {
    const before = this.recording;
    this.recording = false;
    const outputs = build();
    this.recording = before;
    this.record(operator, inputs, outputs, attributes);
    return outputs;
  }

  /**
   * ONNX Loop with a known number of turns. `body` gets the turn (int64 scalar) and the carried values, and gives back
   * their successors and what is collected: each collected value stacked along a new first axis of length `stacked`.
   * With `keep` (a bool scalar) the loop ends early after a turn for which it is false.
   */
  loop(
    turns: Value,
    stacked: Dim,
    carried: readonly Value[],
    body: (graph: Graph, turn: Value, carried: Value[]) => { carried: Value[]; collected: Value[]; keep?: Value },
  ): { carried: Value[]; collected: Value[] } {
    const inner = new Graph(this.names.fresh('body'), this.names);
    const turn = inner.input(this.names.fresh('turn'), 'int64', []);
    const keep = inner.input(this.names.fresh('keep'), 'bool', []);
    const state = carried.map(v => inner.input(this.names.fresh('carried'), v.type, v.shape));
    const next = body(inner, turn, state);
    next.carried.forEach((v, i) => {
      if (!sameShape(v.shape, carried[i]!.shape) || v.type !== carried[i]!.type)
        throw new GraphError(
          `Loop: carried value ${i} goes in as ${carried[i]!.type}${showShape(carried[i]!.shape)} and comes out as ${v.type}${showShape(v.shape)}; built at ${callSite()}`,
        );
    });
    inner.results([next.keep ?? keep, ...next.carried, ...next.collected]);
    const outputs = [
      ...carried.map(v => ({ name: this.names.fresh('Loop'), type: v.type, shape: v.shape })),
      ...next.collected.map(v => ({ name: this.names.fresh('Loop'), type: v.type, shape: [stacked, ...v.shape] })),
    ];
    const none = { name: '', type: 'bool', shape: [] } as const;
    const node = this.node('Loop', '', [turns, none, ...carried], outputs, {}, { body: inner });
    this.record('Loop', [turns, ...carried, ...this.around(node)], outputs, {});
    return { carried: outputs.slice(0, carried.length), collected: outputs.slice(carried.length) };
  }

  /** ONNX If: the results of one of two bodies, which must agree in types and shapes. `condition` is a bool scalar. */
  cond(condition: Value, then: (graph: Graph) => Value[], otherwise: (graph: Graph) => Value[]): Value[] {
    const bodies = [then, otherwise].map(build => {
      const inner = new Graph(this.names.fresh('branch'), this.names);
      const values = build(inner);
      inner.results(values);
      return { inner, values };
    });
    const [yes, no] = bodies as [(typeof bodies)[0], (typeof bodies)[0]];
    yes.values.forEach((v, i) => {
      const other = no.values[i];
      if (!other || other.type !== v.type || !sameShape(v.shape, other.shape))
        throw new GraphError(`If: result ${i} differs between the branches; built at ${callSite()}`);
    });
    const outputs = yes.values.map(v => ({ name: this.names.fresh('If'), type: v.type, shape: v.shape }));
    const node = this.node('If', '', [condition], outputs, {}, { then_branch: yes.inner, else_branch: no.inner });
    this.record('If', [condition, ...this.around(node)], outputs, {});
    return outputs;
  }

  /** Declares a body's results, in order. Each must be made in the body, once: a value that passes through is copied. */
  private results(values: readonly Value[]): void {
    const made = new Set(this.nodes.flatMap(node => node.outputs.map(v => v.name)));
    for (const value of values) {
      const own = made.delete(value.name) ? value : this.op('Identity', [value]);
      this.output(own.name, own);
    }
  }

  /** What a node's bodies read from around it counts as its input, so that no gradient through it goes missing unnoticed. */
  private around({ around }: Node): Value[] {
    return [...this.inputs, ...this.tape.flatMap(entry => entry.outputs)].filter(v => around.has(v.name));
  }

  /** Elements in the same order under another shape; one dimension may be -1. */
  reshape(x: Value, shape: readonly Dim[]): Value {
    // At run time a symbolic dimension is either copied from the same place (0) or worked out (-1, once).
    const target = shape.map((d, i) => {
      if (typeof d === 'number') return d;
      return i < x.shape.length && product([d]) === product([x.shape[i]!]) ? 0 : -1;
    });
    if (target.filter(d => d === -1).length > 1)
      throw new GraphError(
        `Reshape of ${x.name}${showShape(x.shape)} to ${showShape(shape)} leaves two lengths open; built at ${callSite()}`,
      );
    return this.op('Reshape', [x, this.ints(target)]);
  }

  /** The same under a shape fed at run time, for lengths `reshape` cannot work out: `target` is int64 and knows its elements. */
  reshapeTo(x: Value, target: Value): Value {
    return this.op('Reshape', [x, target]);
  }

  sum(x: Value, axes: readonly number[], keep = true): Value {
    return this.op('ReduceSum', [x, this.ints(axes)], { keepdims: keep ? 1 : 0 });
  }

  max(x: Value, axes: readonly number[]): Value {
    return this.op('ReduceMax', [x, this.ints(axes)], { keepdims: 1 });
  }

  /**
   * @param lowerings operators that are put into other words
   * @param constants names of inputs that are constants instead, whose bytes come beside the model
   */
  message(declareShapes = true, lowerings: Lowerings = {}, constants: ReadonlySet<string> = new Set()): GraphMessage {
    const declare = (name: string, { type, shape }: Typed): ValueMessage =>
      valueMessage(name, type, declareShapes || isStatic(shape) ? shape : undefined);
    const { nodes, needed } = this.needs();
    const encoded = nodes.map(node => this.encode(node, lowerings));
    // Outputs get their public names through Identity, so that one value may be several outputs.
    const named = declareShapes
      ? this.outputs.map(({ name, value }) => nodeMessage('Identity', '', [value.name], [name], {}))
      : [];
    return {
      name: this.name,
      node: [...encoded.flatMap(({ node }) => node), ...named],
      initializer: [
        ...this.initializers.filter(tensor => needed.has(tensor.name)),
        ...encoded.flatMap(({ initializer }) => initializer),
        ...this.usedInputs()
          .filter(({ name }) => constants.has(name))
          .map(({ name, type, shape }) => externalTensor(name, type, shape as number[])),
      ],
      input: (declareShapes ? this.usedInputs() : this.inputs)
        .filter(({ name }) => !constants.has(name))
        .map(v => declare(v.name, v)),
      // A loop that makes no turn takes its empty results' shapes from here.
      output: this.outputs.map(({ name, value }) =>
        valueMessage(declareShapes ? name : value.name, value.type, isStatic(value.shape) ? value.shape : undefined),
      ),
    };
  }

  /** The inputs that a result needs. */
  usedInputs(): Value[] {
    const { needed } = this.needs();
    return this.inputs.filter(v => needed.has(v.name));
  }

  /** Nodes that results depend on, in order, and the names they read, bodies' uses of outer values included. */
  private needs(): { nodes: Node[]; needed: Set<string> } {
    const needed = new Set(this.outputs.map(o => o.value.name));
    const nodes = [...this.nodes].reverse().filter(({ inputs, outputs, around }) => {
      if (!outputs.some(v => needed.has(v.name))) return false;
      for (const name of [...inputs.map(v => v.name), ...around]) needed.add(name);
      return true;
    });
    return { nodes: nodes.reverse(), needed };
  }

  /** A node as it is, or as its operator's lowering has it, with the constants that this takes. */
  private encode(node: Node, lowerings: Lowerings): Pick<GraphMessage, 'node' | 'initializer'> {
    const lowering = lowerings[node.operator];
    if (lowering && !node.final) return this.lowered(node, lowering, lowerings);
    const bodies = Object.entries(node.bodies).map(
      ([name, body]) => [name, { graph: body.message(false, lowerings) }] as const,
    );
    const names = (values: readonly Value[]): string[] => values.map(v => v.name);
    const attributes = { ...node.attributes, ...Object.fromEntries(bodies) };
    return {
      node: [nodeMessage(node.operator, node.domain, names(node.inputs), names(node.outputs), attributes)],
      initializer: [],
    };
  }

  /** The lowering's nodes, whose results bear the names under which the node's own are read. */
  private lowered(node: Node, lowering: Lowering, lowerings: Lowerings): Pick<GraphMessage, 'node' | 'initializer'> {
    const inner = new Graph('lowered', this.names);
    const asIs = (): Value[] => {
      const outputs = node.outputs.map(v => ({ ...v, name: this.names.fresh(node.operator) }));
      inner.nodes.push({ ...node, outputs, final: true });
      return outputs;
    };
    inner.results(lowering(inner, node.inputs, node.attributes, asIs));
    const known = new Map(inner.outputs.map(({ name }, i) => [name, node.outputs[i]!.name]));
    const message = inner.message(false, lowerings);
    const renamed = (name: string): string => known.get(name) ?? name;
    return {
      node: message.node.map(one => ({
        ...one,
        input: one.input.map(renamed),
        output: one.output.map(renamed),
      })),
      initializer: message.initializer,
    };
  }

  private node(
    operator: string,
    domain: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Attributes,
    bodies: Readonly<Record<string, Graph>> = {},
  ): Node {
    const around = new Set(Object.values(bodies).flatMap(body => [...body.needs().needed]));
    const node = { operator, domain, inputs, outputs, attributes, bodies, around };
    this.nodes.push(node);
    return node;
  }

  private record(operator: string, inputs: readonly Value[], outputs: readonly Value[], attributes: Attributes): void {
    if (this.recording) this.tape.push({ operator, inputs, outputs, attributes });
  }
}
