/** Groups of blocks: each block once, its own visits in order, and nothing added twice at a time. */
import { type Group, groupBlocks, type Side, type Visit, workOf } from '../../../../activities/engine/model/lanes';
import { randomStream } from '../../../../activities/engine/random';

/** The visits of sequences of so many blocks each, one behind another: the diagonal is seen in part. */
function sequences(...lengths: number[]): Visit[] {
  let start = 0;
  return lengths.flatMap(length => {
    const first = start;
    start += length;
    return Array.from({ length }, (_, query) =>
      Array.from({ length: query + 1 }, (_, key) => ({ query: first + query, key: first + key, whole: key < query })),
    ).flat();
  });
}

const blocksOf = (visits: readonly Visit[]): number => Math.max(...visits.map(({ query }) => query)) + 1;
const inGroups = (side: Side, visits: readonly Visit[], tile = 16): Group[] =>
  groupBlocks(side, visits, blocksOf(visits), tile);
const shape = (groups: readonly Group[]): number[][] =>
  groups.map(({ lanes, whole, turns }) => [lanes.filter(({ filler }) => !filler).length, lanes.length, whole, turns]);

function randomVisits(round: number): Visit[] {
  const random = randomStream('lanes', round);
  const lengths = Array.from({ length: 1 + random.below(6) }, () => 1 + random.below(9));
  // Some of what sequences see of each other, as responses to a prompt do.
  const all = sequences(...lengths);
  const blocks = blocksOf(all);
  const known = new Set(all.map(({ query, key }) => `${query}/${key}`));
  for (let i = random.below(20); i > 0; i--) {
    const query = random.below(blocks);
    const key = random.below(query + 1);
    if (known.has(`${query}/${key}`)) continue;
    known.add(`${query}/${key}`);
    all.push({ query, key, whole: random.below(2) === 0 });
  }
  return all;
}

describe.each(['query', 'key'] as const)('by %s', side => {
  test('each block is in one lane, with all its visits, those seen whole first', () => {
    for (let round = 0; round < 100; round++) {
      const visits = randomVisits(round);
      const groups = inGroups(side, visits, [16, 128, 512][round % 3]);
      const lanes = groups.flatMap(({ lanes }) => lanes.filter(({ filler }) => !filler));
      expect(lanes.map(({ block }) => block).sort((a, b) => a - b)).toEqual([...Array(blocksOf(visits)).keys()]);
      for (const { block, visits: own } of lanes) {
        const expected = visits.filter(visit => visit[side] === block);
        expect(own).toEqual([...expected.filter(v => v.whole), ...expected.filter(v => !v.whole)]);
      }
    }
  });

  test("a group's turns are those of its longest lane, its whole ones those of the lane with the fewest", () => {
    for (let round = 0; round < 100; round++)
      for (const { lanes, whole, turns } of inGroups(side, randomVisits(round))) {
        expect(turns).toBe(Math.max(...lanes.map(({ visits }) => visits.length)));
        expect(whole).toBe(Math.min(...lanes.map(({ visits }) => visits.filter(v => v.whole).length)));
        expect(lanes.filter(({ filler }) => filler).every(({ block }) => block === lanes[0]!.block)).toBe(true);
      }
  });
});

test('by key, no two lanes of a group visit the same queries', () => {
  for (let round = 0; round < 100; round++)
    for (const { lanes } of inGroups('key', randomVisits(round))) {
      const queries = lanes.filter(({ filler }) => !filler).flatMap(({ visits }) => visits.map(({ query }) => query));
      expect(new Set(queries).size).toBe(queries.length);
    }
});

test.each<[string, Side, Visit[], number, number[][]]>([
  ['equal sequences go side by side', 'query', sequences(2, 2, 2, 2), 128, [[4, 4, 1, 2], [4, 4, 0, 1]]], // biome-ignore format: a line each
  ['in both passes', 'key', sequences(2, 2, 2, 2), 128, [[4, 4, 1, 2], [4, 4, 0, 1]]], // biome-ignore format: a line each
  ['queries of one sequence may, its keys may not', 'key', sequences(3), 128, [[1, 1, 2, 3], [1, 1, 1, 2], [1, 1, 0, 1]]], // biome-ignore format: a line each
  ['large tiles go alone', 'query', sequences(3), 512, [[1, 1, 2, 3], [1, 1, 1, 2], [1, 1, 0, 1]]], // biome-ignore format: a line each
  ['what is missing is filled up', 'query', sequences(1, 1, 1), 16, [[3, 4, 0, 1]]],
])('%s', (_, side, visits, tile, expected) => {
  expect(shape(inGroups(side, visits, tile))).toEqual(expected);
});

test.each([
  [128, 8],
  [256, 4],
  [512, 1],
])('tiles of %d, of however many sequences, go in %d lanes at most', (tile, most) => {
  const groups = inGroups('query', sequences(...new Array<number>(32).fill(1)), tile);
  expect(new Set(groups.map(({ lanes }) => lanes.length))).toEqual(new Set([most]));
});

test('no other width would have been less work', () => {
  const visits = sequences(4, 4, 4, 4, 4, 4, 4, 4);
  const chosen = workOf(inGroups('query', visits, 128), 128);
  // One block at a time, and all at once.
  expect(chosen).toBeLessThan(80 * (8192 + 128 ** 2));
  expect(chosen).toBe(10 * (8192 + 8 * 128 ** 2));
});
