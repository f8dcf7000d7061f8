/** What the builder of graphs knows, refuses and leaves out. */
import { basename } from 'node:path';
import type { Dim } from '../../../../activities/engine/graph/dims';
import { Graph, GraphError, type Value } from '../../../../activities/engine/graph/graph';
import type { Attributes } from '../../../../activities/engine/graph/onnx';
import { OPERATORS } from '../../../../activities/engine/graph/operators';
import { floatData, floats, integers } from '../../../../activities/engine/graph/session';
import { evaluate } from '../../../support/graphs';

const failure = (act: () => unknown): GraphError => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return error as GraphError;
  }
  throw new Error('nothing was refused');
};

const graph = (): Graph => new Graph('test');
const input = (g: Graph, name: string, shape: readonly Dim[]): Value => g.input(name, 'float32', shape);

describe('a node that cannot be', () => {
  type Refusal = [operator: string, shapes: Dim[][], attributes: Attributes, message: string];
  test.each<Refusal>([
    ['Add', [[2, 3], [4]], {}, '[2, 3] and [4] do not broadcast'],
    [
      'Mul',
      [
        ['T', 3],
        ['S', 3],
      ],
      {},
      '[T, 3] and [S, 3] do not broadcast',
    ],
    [
      'MatMul',
      [
        [2, 3],
        [4, 5],
      ],
      {},
      'inner lengths differ: [2, 3] times [4, 5]',
    ],
    ['MatMul', [[3], [3, 5]], {}, 'expected matrices, got [3] and [3, 5]'],
    [
      'FusedMatMul',
      [
        [2, 3],
        [3, 5],
      ],
      { transB: 1 },
      'inner lengths differ: [2, 3] times [5, 3]',
    ],
    [
      'Gemm',
      [
        [2, 2, 3],
        [3, 5],
      ],
      {},
      'expected two matrices of rank 2',
    ],
    ['Gemm', [[2, 3], [3, 5], [4]], {}, '[2, 5] and [4] do not broadcast'],
    ['Transpose', [[2, 3]], { perm: [0] }, 'permutation 0 of rank 2'],
    [
      'Concat',
      [
        [2, 3],
        [2, 4],
      ],
      { axis: 0 },
      'shapes differ beside axis 0: [2, 3] [2, 4]',
    ],
    ['Concat', [[2, 3]], { axis: 2 }, 'axis 2 of a value of rank 2'],
    ['SimplifiedLayerNormalization', [[2, 3], [4]], {}, 'scale [4] does not fit [2, 3]'],
    ['Gather', [[2, 3], [1]], {}, 'indices must be int64, got float32'],
    ['Where', [[2], [2], [2]], {}, 'condition must be bool, got float32'],
    ['Reshape', [[2], [2]], {}, 'the shape must be known when the graph is built'],
  ])(
    '%s of %j is refused with the operator, the shapes, the reason and the line',
    (...[operator, shapes, attributes, reason]) => {
      const g = graph();
      const values = shapes.map((shape, i) => input(g, `x${i}`, shape));
      const { message } = failure(() => g.op(operator, values, attributes));
      const given = shapes.map((shape, i) => `x${i}: float32[${shape.join(', ')}]`).join(', ');
      expect(message).toContain(`${operator}(${given}): ${reason}; built at `);
      expect(message).toMatch(new RegExp(`${basename(__filename)}:\\d+:\\d+`));
    },
  );

  test("the line is the one that asked, also through the builder's own helpers", () => {
    const g = graph();
    const x = input(g, 'x', [2, 3]);
    const here = Number(/graph\.test\.ts:(\d+)/.exec(new Error().stack ?? '')?.[1]);
    const { message } = failure(() => g.sum(x, [5]));
    expect(message).toContain('axis 5 of a value of rank 2');
    expect(message).toMatch(new RegExp(`${basename(__filename)}:${here + 1}:`));
  });

  test('slices past the end, from the end and empty ones', () => {
    const g = graph();
    const slice = (from: number, to: number) => () =>
      g.op('Slice', [input(g, `x ${from} ${to}`, [4]), g.ints([from]), g.ints([to]), g.ints([0])]);
    expect(failure(slice(1, 5)).message).toContain('to 5 of axis 0 of [4]');
    expect(failure(slice(-1, 3)).message).toContain('from -1 to 3 is empty or counts from the end');
    expect(failure(slice(2, 2)).message).toContain('from 2 to 2 is empty or counts from the end');
  });

  test('types that do not fit', () => {
    const g = graph();
    const [x, i] = [input(g, 'x', [2]), g.input('i', 'int64', [2])];
    expect(failure(() => g.op('Add', [x, i])).message).toContain('types differ: float32 and int64');
    expect(failure(() => g.op('Exp', [i])).message).toContain('Exp(i: int64[2]): expected float32, got int64');
  });

  test('an operator that is not in the table, Log on purpose among them', () => {
    const g = graph();
    const { message } = failure(() => g.op('Log', [input(g, 'x', [2])]));
    expect(message).toContain('no operator "Log" in the table');
    expect(message).toContain(basename(__filename));
    expect(OPERATORS).not.toHaveProperty('Log');
  });

  test('an input declared twice', () => {
    const g = graph();
    input(g, 'x', [2]);
    expect(failure(() => input(g, 'x', [3])).message).toMatch(
      new RegExp(`input "x" is declared twice at .*${basename(__filename)}`),
    );
  });
});

describe('reshape', () => {
  test.each<[Dim[], Dim[], Dim[]]>([
    [
      [2, 6],
      [3, 4],
      [3, 4],
    ],
    [
      [2, 6],
      [-1, 4],
      [3, 4],
    ],
    [
      ['T', 6],
      ['T', 2, 3],
      ['T', 2, 3],
    ],
    [
      ['T', 6],
      [-1, 2],
      ['3*T', 2],
    ],
    [
      ['T', 2, 3],
      ['T', 6],
      ['T', 6],
    ],
    [
      ['T', 8],
      [-1, 4, 8],
      ['T/4', 4, 8],
    ],
    [
      ['T/4', 4, 8],
      [-1, 8],
      ['T', 8],
    ],
    [
      ['T', 'S', 2],
      ['T', 'S', 2, 1],
      ['T', 'S', 2, 1],
    ],
    [
      ['N', 3, 4],
      ['3*N', 4],
      ['3*N', 4],
    ],
    [['T'], [1, 'T'], [1, 'T']],
  ])('%j to %j is %j', (from, to, expected) => {
    const g = graph();
    expect(g.reshape(input(g, 'x', from), to).shape).toEqual(expected);
  });

  test.each<[Dim[], Dim[], string]>([
    [[2, 6], [5, 2], '[2, 6] to [5, 2] changes the number of elements'],
    [['T', 6], ['T', 4], '[T, 6] to [T, 4] changes the number of elements'],
    [['T', 'S'], ['S', 'T'], 'Reshape of x[T, S] to [S, T] leaves two lengths open'],
  ])('%j to %j is refused', (from, to, message) => {
    const g = graph();
    const x = input(g, 'x', from);
    expect(failure(() => g.reshape(x, to)).message).toContain(message);
    expect(failure(() => g.reshape(x, to)).message).toContain(basename(__filename));
  });

  test('symbols take their lengths when the graph runs', async () => {
    for (const rows of [4, 8]) {
      const data = Float32Array.from({ length: rows * 6 }, (_, i) => i);
      const results = await evaluate(
        g => {
          const blocks = g.reshape(input(g, 'x', ['T', 6]), [-1, 4, 2, 3]);
          return { blocks, back: g.reshape(blocks, [-1, 6]) };
        },
        { x: floats(data, [rows, 6]) },
      );
      expect(results.blocks!.dims).toEqual([rows / 4, 4, 2, 3]);
      expect(results.back!.dims).toEqual([rows, 6]);
      expect(floatData(results, 'back')).toEqual(data);
    }
  });
});

describe('branches', () => {
  const twice = (b: Graph, x: Value): Value => b.op('Add', [x, x]);

  test('the body that the condition names is the one that runs, over values around it', async () => {
    for (const [value, expected] of [
      [1, [2, 6]],
      [-1, [-1, -3]],
    ] as const) {
      const { y } = await evaluate(
        g => {
          const x = g.op('Mul', [input(g, 'x', [2]), g.scalar(1)]);
          const positive = g.op('Greater', [g.input('sign', 'float32', []), g.scalar(0)]);
          // The second body hands on what was made outside of it.
          const [y] = g.cond(
            positive,
            b => [twice(b, x)],
            () => [x],
          );
          return { y: y! };
        },
        { x: floats(Float32Array.of(value, 3 * value), [2]), sign: floats(Float32Array.of(value), []) },
      );
      expect([...(y!.data as Float32Array)]).toEqual(expected);
    }
  });

  test('bodies whose results differ in shape are refused', () => {
    const g = graph();
    const [x, y] = [input(g, 'x', [2]), input(g, 'y', [3])];
    const build = () =>
      g.cond(
        g.input('c', 'bool', []),
        b => [twice(b, x)],
        b => [twice(b, y)],
      );
    expect(failure(build).message).toContain('If: result 0 differs between the branches');
  });
});

describe('loops', () => {
  const turns = (g: Graph): Value => g.scalar(3, 'int64');

  test('a carried value keeps its shape', () => {
    const g = graph();
    const x = input(g, 'x', [2]);
    const { message } = failure(() =>
      g.loop(turns(g), 'turns', [x], (b, _turn, [state]) => ({
        carried: [b.op('Concat', [state!, state!], { axis: 0 })],
        collected: [],
      })),
    );
    expect(message).toContain('Loop: carried value 0 goes in as float32[2] and comes out as float32[4]; built at');
    expect(message).toContain(basename(__filename));
  });

  test('a carried value keeps its type', () => {
    const g = graph();
    const [x, n] = [input(g, 'x', [2]), g.scalar(0, 'int64')];
    const { message } = failure(() =>
      g.loop(turns(g), 'turns', [x, n], (b, turn, [state]) => ({
        carried: [state!, b.op('Cast', [turn], { to: 1 })],
        collected: [],
      })),
    );
    expect(message).toContain('carried value 1 goes in as int64[] and comes out as float32[]');
  });

  test('carry, collect, read values from around them and end early', async () => {
    const results = await evaluate(
      g => {
        const x = input(g, 'x', [2]);
        const step = input(g, 'step', [2]);
        const limit = g.scalar(10);
        const loop = g.loop(g.input('turns', 'int64', []), 'turns', [x], (b, turn, [state]) => {
          const next = b.op('Add', [state!, step]);
          const sum = b.sum(next, [0], false);
          return { carried: [next], collected: [next, turn], keep: b.op('Less', [sum, limit]) };
        });
        return { last: loop.carried[0]!, all: loop.collected[0]!, counted: loop.collected[1]! };
      },
      {
        x: floats(Float32Array.of(1, 2), [2]),
        step: floats(Float32Array.of(1, 2), [2]),
        turns: integers([9], []),
      },
    );
    // Sums 6, 9, 12: the third turn is the first to reach 10.
    expect([...floatData(results, 'last')]).toEqual([4, 8]);
    expect([...floatData(results, 'all')]).toEqual([2, 4, 3, 6, 4, 8]);
    expect(results.all!.dims).toEqual([3, 2]);
    expect([...(results.counted!.data as BigInt64Array)]).toEqual([0n, 1n, 2n]);
  });
});

describe('what no result needs', () => {
  function half(): Graph {
    const g = graph();
    const [used, inner, unused] = [input(g, 'used', [2]), input(g, 'read by a body', [2]), input(g, 'unused', [2])];
    const loop = g.loop(g.scalar(2, 'int64'), 'turns', [used], (b, _turn, [state]) => ({
      carried: [b.op('Add', [state!, inner])],
      collected: [],
    }));
    g.op('Exp', [g.op('Mul', [unused, g.scalar(7)])]);
    g.output('y', loop.carried[0]!);
    return g;
  }

  test("inputs, nodes and constants are left out; what a loop's body reads stays", () => {
    const g = half();
    expect(g.usedInputs().map(v => v.name)).toEqual(['used', 'read by a body']);
    const message = g.message();
    expect(message.input.map(v => v.name)).toEqual(['used', 'read by a body']);
    expect(message.node.map(n => n.op_type)).toEqual(['Loop', 'Identity']);
    // The number of turns alone; 7 went with its node.
    expect(message.initializer).toHaveLength(1);
  });
});

test('one value may be several results, and an input one itself', async () => {
  const results = await evaluate(
    g => {
      const x = input(g, 'x', [1]);
      const y = g.op('Neg', [x]);
      return { y, again: y, x_itself: x };
    },
    { x: floats(Float32Array.of(2), [1]) },
  );
  expect(['y', 'again', 'x_itself'].map(name => floatData(results, name)[0])).toEqual([-2, -2, 2]);
});

test('a scalar is made once for each type and sign of zero', () => {
  const g = graph();
  expect(g.scalar(2)).toBe(g.scalar(2));
  expect(g.scalar(2)).not.toBe(g.scalar(2, 'int64'));
  expect(g.scalar(0)).not.toBe(g.scalar(-0));
});
