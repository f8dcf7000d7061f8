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
