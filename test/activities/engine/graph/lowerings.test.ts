/** Operators in other words: the same numbers, wherever a node stands, and nothing else touched. */
import { Graph, type Lowerings, type Value } from '../../../../activities/engine/graph/graph';
import { WEBGPU_LOWERINGS } from '../../../../activities/engine/graph/lowerings';
import { type Attributes, encodeModel, type GraphMessage } from '../../../../activities/engine/graph/onnx';
import { CompiledGraph, type Feeds, floatData, floats, integers } from '../../../../activities/engine/graph/session';
import { elements, randomFloats } from '../../../support/graphs';
import { captureModels } from '../../../support/webgpu/captured-models';

/** The operators of a graph and of all its bodies. */
function operators({ node }: GraphMessage): string[] {
  const bodies = (attribute: object): GraphMessage[] => ('g' in attribute ? [attribute.g as GraphMessage] : []);
  return node.flatMap(one => [one.op_type, ...one.attribute.flatMap(bodies).flatMap(operators)]);
}

/** What the graph computes as it is and in the device's words, both on the processor. */
async function bothWays(build: (g: Graph) => Record<string, Value>, feeds: Feeds) {
  const run = async (provider: 'cpu' | 'webgpu') => {
    const g = new Graph('test');
    for (const [name, value] of Object.entries(build(g))) g.output(name, value);
    const { restore } = captureModels();
    try {
      const compiled = await CompiledGraph.compile(g, { threads: 1, provider });
      const results = await compiled.run(feeds);
      await compiled.release();
      return results;
    } finally {
      restore();
    }
  };
  return [await run('cpu'), await run('webgpu')] as const;
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
  });
}

describe('an operator gives the same numbers', () => {
  test.each<[string, number[][], Attributes]>([
    ['FusedMatMul', [[3, 5], [5, 2]], { transA: 0, transB: 0 }], // biome-ignore format: a line each
    ['FusedMatMul', [[5, 3], [5, 2]], { transA: 1, transB: 0, alpha: { float: 0.25 } }], // biome-ignore format: a line each
    ['FusedMatMul', [[2, 4, 3, 5], [2, 4, 2, 5]], { transA: 0, transB: 1, alpha: { float: -3 } }], // biome-ignore format: a line each
    ['FusedMatMul', [[4, 5, 3], [2, 4, 2, 5]], { transA: 1, transB: 1 }], // biome-ignore format: a line each
    ['QuickGelu', [[3, 17]], { alpha: { float: 1 } }],
    ['QuickGelu', [[2, 3, 1]], { alpha: { float: -1.7 } }],
    ['LogSoftmax', [[3, 17]], { axis: -1 }],
    ['LogSoftmax', [[2, 3, 1]], { axis: -1 }],
  ])('%s of %j with %j', async (operator, shapes, attributes) => {
    const names = shapes.map((_, i) => `x${i}`);
    const feeds = Object.fromEntries(
      shapes.map((shape, i) => [names[i]!, floats(randomFloats(names[i]!, elements(shape), -2, 2), shape)]),
    );
    const build = (g: Graph) => {
      const inputs = shapes.map((shape, i) => g.input(names[i]!, 'float32', shape));
      return { y: g.op(operator, inputs, attributes) };
    };
    const [plain, lowered] = await bothWays(build, feeds);
    expect(lowered.y!.dims).toEqual(plain.y!.dims);
    expectClose(floatData(lowered, 'y'), floatData(plain, 'y'));
  });

  test('LogSoftmax of rows whose exponentials overflow, and of masked ones', async () => {
    const rows = Float32Array.of(1000, 999, -1000, -1e30, -1e30, 3, 500, 500, 500);
    const [plain, lowered] = await bothWays(
      g => ({ y: g.op('LogSoftmax', [g.input('x', 'float32', [3, 3])], { axis: -1 }) }),
      { x: floats(rows, [3, 3]) },
    );
    expectClose(floatData(lowered, 'y'), floatData(plain, 'y'));
  });

  test('ConstantOfShape of a shape that is known when the graph runs', async () => {
    const build = (g: Graph) => {
      const x = g.input('x', 'float32', ['T', 3]);
      return { y: g.op('Add', [x, g.op('ConstantOfShape', [g.op('Shape', [x])])]) };
    };
    const x = randomFloats('x', 6);
    const [, lowered] = await bothWays(build, { x: floats(x, [2, 3]) });
    expect(lowered.y!.dims).toEqual([2, 3]);
    expect(floatData(lowered, 'y')).toEqual(x);
  });

  test.each([0, 1, 4])(
    'Loop of %d turns, in a body too, with what it carries, collects and reads around it',
    async n => {
      const build = (g: Graph) => {
        const x = g.input('x', 'float32', [2, 3]);
        const outer = g.loop(g.input('turns', 'int64', []), 'turns', [x], (b, turn, [state]) => {
          const inner = b.loop(b.scalar(2, 'int64'), 2, [state!], (t, _turn, [carried]) => {
            const scores = t.op('FusedMatMul', [carried!, x], { transA: 0, transB: 1 });
            return { carried: [t.op('MatMul', [t.op('LogSoftmax', [scores], { axis: -1 }), x])], collected: [] };
          });
          const next = b.op('Mul', [inner.carried[0]!, b.scalar(0.1)]);
          return { carried: [next], collected: [next, turn] };
        });
        return { last: outer.carried[0]!, all: outer.collected[0]!, counted: outer.collected[1]! };
      };
      const feeds = { x: floats(randomFloats('x', 6), [2, 3]), turns: integers([n], []) };
      const [plain, lowered] = await bothWays(build, feeds);
      for (const name of ['last', 'all', 'counted']) expect(lowered[name]!.dims).toEqual(plain[name]!.dims);
      for (const name of ['last', 'all']) expectClose(floatData(lowered, name), floatData(plain, name));
      expect(lowered.counted!.data).toEqual(plain.counted!.data);
    },
  );
});

describe('encoding', () => {
  function graph(): Graph {
    const g = new Graph('test');
    const x = g.input('x', 'float32', [2, 3]);
    const [y] = g.cond(
      g.input('c', 'bool', []),
      b => [b.op('LogSoftmax', [x], { axis: -1 })],
      b => [b.op('Exp', [x])],
    );
    g.output('y', y!);
    return g;
  }

  test("no operator that has a lowering is left, in a body neither, but control flow's own", () => {
    const lacking = Object.keys(WEBGPU_LOWERINGS).filter(operator => operator !== 'Loop');
    expect(lacking.filter(operator => operators(graph().message(true, WEBGPU_LOWERINGS)).includes(operator))).toEqual(
      [],
    );
    expect(operators(graph().message())).toContain('LogSoftmax');
  });

  test('a lowering may be made of operators that have one themselves, and give back what it was given', () => {
    const lowerings: Lowerings = {
      Exp: (g, [x]) => [g.op('Sigmoid', [x!])],
      Sigmoid: (g, [x]) => [g.op('Neg', [x!])],
      Neg: (_g, [x]) => [x!],
    };
    expect(operators(graph().message(true, lowerings))).toEqual(['If', 'LogSoftmax', 'Identity', 'Identity']);
  });

  test('without lowerings a graph is encoded to the same bytes as ever, also after it was encoded with some', () => {
    const g = graph();
    const before = encodeModel(g.message());
    g.message(true, WEBGPU_LOWERINGS);
    expect(encodeModel(g.message())).toEqual(before);
  });
});
