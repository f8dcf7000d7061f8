/** What a compiled graph is fed is checked by name before onnxruntime sees it. */
import { Graph } from '../../../../activities/engine/graph/graph';
import {
  bools,
  CompiledGraph,
  type Feeds,
  floatData,
  floats,
  integers,
} from '../../../../activities/engine/graph/session';
import { EngineRequestError } from '../../../../activities/engine/protocol/index';

const rows = (count: number, width = 3) => floats(new Float32Array(count * width).fill(1), [count, width]);

let compiled: CompiledGraph;
beforeAll(async () => {
  const g = new Graph('sums');
  const x = g.input('x', 'float32', ['T', 3]);
  const y = g.input('y', 'float32', ['T', 3]);
  const order = g.input('order', 'int64', ['n']);
  g.input('beside', 'float32', [1]);
  g.output('z', g.op('Gather', [g.op('Add', [x, y]), order]));
  compiled = await CompiledGraph.compile(g, { threads: 1 });
});
afterAll(() => compiled.release());

const fed = (changes: Feeds = {}): Feeds => ({ x: rows(2), y: rows(2), order: integers([1], [1]), ...changes });

test('feeds that fit give results', async () => {
  expect([...floatData(await compiled.run(fed()), 'z')]).toEqual([2, 2, 2]);
});

test('an input that no result needs may be fed or not', async () => {
  expect(compiled.inputNames).toEqual(['x', 'y', 'order']);
  const results = await compiled.run(fed({ beside: rows(1, 1) }));
  expect([...floatData(results, 'z')]).toEqual([2, 2, 2]);
});

test.each<[string, Feeds, string]>([
  ['an unknown name', { Y: rows(2) }, 'input "Y" is unknown'],
  ['another type', { order: bools([true]) }, 'input "order" is bool, expected int64'],
  ['another rank', { x: floats(new Float32Array(6), [6]) }, 'input "x" has shape [6], expected [T,3]'],
  ['another length', { x: rows(2, 4) }, 'input "x" has shape [2,4], expected [T,3] with 3 = 3'],
  ['a symbol of two lengths', { y: rows(3) }, 'input "y" has shape [3,3], expected [T,3] with T = 2'],
])('%s is refused by name', async (_title, changes, problem) => {
  const refused = compiled.run(fed(changes));
  await expect(refused).rejects.toThrow(`graph "sums": ${problem}`);
  await expect(refused).rejects.toBeInstanceOf(EngineRequestError);
  await expect(refused).rejects.toMatchObject({ code: 'internal' });
});

test('a missing feed is refused by name', async () => {
  const { y: _, ...rest } = fed();
  await expect(compiled.run(rest)).rejects.toThrow('graph "sums": input "y" is missing');
});

describe('constants', () => {
  const graph = (): Graph => {
    const g = new Graph('weighed');
    const x = g.input('x', 'float32', ['T', 3]);
    const w = g.input('w', 'float32', [2, 3]);
    g.input('unused', 'float32', [1]);
    g.output('y', g.op('Gemm', [x, w], { transB: 1 }));
    return g;
  };
  const w = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };

  test('are not fed, and give what feeds give, also where they are a part of a larger array', async () => {
    const whole = Float32Array.of(9, ...w.data, 9);
    const constants = new Map([
      ['w', { shape: w.shape, data: whole.subarray(1, 7) }],
      ['unused', { shape: [1], data: Float32Array.of(1) }],
    ]);
    const held = await CompiledGraph.compile(graph(), { threads: 1 }, constants);
    const free = await CompiledGraph.compile(graph(), { threads: 1 });
    expect(held.inputNames).toEqual(['x']);
    const expected = floatData(await free.run({ x: rows(2), w: floats(w.data, w.shape) }), 'y');
    expect([...expected]).toEqual([6, 15, 6, 15]);
    expect(floatData(await held.run({ x: rows(2) }), 'y')).toEqual(expected);
    await expect(held.run({ x: rows(2), w: floats(w.data, w.shape) })).rejects.toThrow('input "w" is unknown');
    await Promise.all([held.release(), free.release()]);
  });

  test('are taken as they are: what becomes of the array afterwards changes nothing', async () => {
    const data = Float32Array.from(w.data);
    const held = await CompiledGraph.compile(graph(), { threads: 1 }, new Map([['w', { shape: w.shape, data }]]));
    data.fill(0);
    expect([...floatData(await held.run({ x: rows(1) }), 'y')]).toEqual([6, 15]);
    await held.release();
  });
});
