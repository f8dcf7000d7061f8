/** The plan of tiles against the whole visibility matrix, over many segmentations. */
import type * as ort from 'onnxruntime-node';
import { planTiles } from '../../../../activities/engine/model/plan';
import { randomStream } from '../../../../activities/engine/random';
import { plain, randomSegments, type Stream, sharedPrompt, visibility } from '../../../support/streams';

type Feeds = Record<string, ort.Tensor>;

const numbers = (feeds: Feeds, name: string): number[] => [...(feeds[name]!.data as BigInt64Array)].map(Number);

interface Visit {
  row: number;
  block: number;
  /** Null where the tile is seen whole. */
  mask: number | null;
  /** The block that a gradient of queries is added to; null by query. */
  into: number | null;
}

interface GroupOfVisits {
  /** Those of blocks that the group is there for; others are copies. */
  visits: Visit[];
  copied: Visit[];
}

/** The visits of one side, group by group, as attention.ts reads them. */
function groupsOf(feeds: Feeds, side: 'query' | 'key'): GroupOfVisits[] {
  const list = (field: string): number[] => numbers(feeds, `by_${side}_${field}`);
  const [lanes, places, start, whole, partial] = ['lanes', 'places', 'start', 'whole', 'partial'].map(list);
  const [block, mask] = [list('block'), list('mask')];
  const into = side === 'key' ? list('into') : null;
  const width = feeds[`by_${side}_lanes`]!.dims[1]!;
  // Each block stands where it is said to.
  expect(places!.map(place => lanes![place])).toEqual(places!.map((_, b) => b));
  return start!.map((first, group) => {
    const found: GroupOfVisits = { visits: [], copied: [] };
    for (let turn = first; turn < first + whole![group]! + partial![group]!; turn++)
      for (let lane = 0; lane < width; lane++) {
        const [entry, place] = [turn * width + lane, group * width + lane];
        if (entry >= block.length) throw new Error(`group ${group} of ${side}s reads past its list`);
        const visit = {
          row: lanes![place]!,
          block: block[entry]!,
          mask: turn < first + whole![group]! ? null : mask[entry]!,
          into: into && into[entry]!,
        };
        (places![visit.row] === place ? found.visits : found.copied).push(visit);
      }
    return found;
  });
}

const isNothing = (feeds: Feeds, mask: number | null, tile: number): boolean =>
  mask !== null &&
  (feeds.masks!.data as Float32Array)
    .subarray(mask * tile * tile, (mask + 1) * tile * tile)
    .every(value => value === Number.NEGATIVE_INFINITY);

/** The visits of one side in which something is seen. */
function visits(feeds: Feeds, side: 'query' | 'key'): Visit[] {
  const tile = feeds.masks!.dims[1]!;
  return groupsOf(feeds, side)
    .flatMap(group => group.visits)
    .filter(({ mask }) => !isNothing(feeds, mask, tile));
}

/** What the plan lets each query see, [queries][keys]. */
const seen = (feeds: Feeds, length: number, tile: number): boolean[][] =>
  seenIn(visits(feeds, 'query'), feeds, length, tile);

function seenIn(visits: readonly Visit[], feeds: Feeds, length: number, tile: number): boolean[][] {
  const matrix = Array.from({ length }, () => new Array<boolean>(length).fill(false));
  const masks = feeds.masks!.data as Float32Array;
  for (const { row, block, mask } of visits)
    for (let i = 0; i < tile; i++)
      for (let j = 0; j < tile; j++) {
        const [query, key] = [row * tile + i, block * tile + j];
        const value = mask === null ? 0 : masks[(mask * tile + i) * tile + j]!;
        if (value === Number.NEGATIVE_INFINITY) continue;
        if (value !== 0) throw new Error(`a mask holds ${value}`);
        // Twice would count a key twice.
        if (matrix[query]![key]) throw new Error(`query ${query} visits key ${key} twice`);
        matrix[query]![key] = true;
      }
  return matrix;
}

const drawn = (matrix: boolean[][]): string =>
  matrix.map(row => row.map(visible => (visible ? '#' : '.')).join('')).join('\n');

/** Tiles of the true matrix of which something is seen. */
function tiles(matrix: boolean[][], tile: number): string[] {
  const found: string[] = [];
  for (let row = 0; row < matrix.length / tile; row++)
    for (let block = 0; block < matrix.length / tile; block++) {
      const rows = matrix.slice(row * tile, (row + 1) * tile);
      if (rows.some(keys => keys.slice(block * tile, (block + 1) * tile).some(Boolean))) found.push(`${row}/${block}`);
    }
  return found;
}

function expectPlan({ segments, length }: Stream, tile: number): void {
  const feeds = planTiles({ segments, length, tile }, ['query', 'key']) as Feeds;
  const matrix = visibility(segments, length);
  expect(drawn(seen(feeds, length, tile))).toBe(drawn(matrix));
  const byQuery = visits(feeds, 'query').map(({ row, block }) => `${row}/${block}`);
  expect(byQuery.sort()).toEqual(tiles(matrix, tile).sort());
  // The backward pass sees the same.
  const turned = visits(feeds, 'key').map(({ row, block, mask }) => ({ row: block, block: row, mask, into: null }));
  expect(drawn(seenIn(turned, feeds, length, tile))).toBe(drawn(matrix));
  expectSums(feeds, length / tile);
}

/** Each visit by key is added to its own block of queries, once a group; what nobody asked for goes behind the last. */
function expectSums(feeds: Feeds, blocks: number): void {
  const tile = feeds.masks!.dims[1]!;
  for (const { visits, copied } of groupsOf(feeds, 'key')) {
    for (const { into } of copied) expect(into).toBe(blocks);
    for (const { block, mask, into } of visits) expect(into).toBe(isNothing(feeds, mask, tile) ? blocks : block);
    const added = visits.flatMap(({ into }) => (into === blocks ? [] : [into]));
    expect(new Set(added).size).toBe(added.length);
  }
}

const fixed: Record<string, Stream> = {
  'one sequence': { length: 32, segments: [plain(0, 32)] },
  'sequences that end with tiles': { length: 32, segments: [plain(0, 8), plain(8, 24), plain(24, 32)] },
  'sequences of one token': { length: 16, segments: Array.from({ length: 16 }, (_, i) => plain(i, i + 1)) },
  'a prompt that fills tiles': { length: 48, segments: [...sharedPrompt(0, 32, [8, 8])] },
  'a prompt one token short of a tile': { length: 32, segments: [...sharedPrompt(0, 15, [3, 6, 8])] },
  'responses to no prefix': { length: 48, segments: [...sharedPrompt(0, 3, [2]), ...sharedPrompt(5, 0, [15, 20, 8])] },
};

describe.each(Object.entries(fixed))('%s', (_title, stream) => {
  test.each([8, 16])('in tiles of %d', tile => expectPlan(stream, tile));
});

test('any segmentation in tiles of any size', () => {
  const random = randomStream('plans');
  for (let round = 0; round < 150; round++) {
    const tile = [2, 4, 8, 16][round % 4]!;
    expectPlan(randomSegments(random, tile), tile);
  }
});

test('only the sides asked for', () => {
  const names = (sides: ('query' | 'key')[]): string[] =>
    Object.keys(planTiles({ segments: [plain(0, 16)], length: 16, tile: 8 }, sides)).filter(name =>
      name.startsWith('by_'),
    );
  expect(names(['query']).every(name => name.startsWith('by_query_'))).toBe(true);
  expect(names(['query', 'key'])).toHaveLength(16);
});

test('equal masks are kept once: a long sequence needs one of its diagonal, all and nothing', () => {
  const feeds = planTiles({ segments: [plain(0, 512)], length: 512, tile: 16 }, ['query']) as Feeds;
  expect(feeds.masks!.dims).toEqual([3, 16, 16]);
});

test('the number of visits grows with what is seen, not with the square of the stream', () => {
  const segments = Array.from({ length: 64 }, (_, i) => plain(i * 16, (i + 1) * 16));
  expect(visits(planTiles({ segments, length: 1024, tile: 16 }, ['query']) as Feeds, 'query')).toHaveLength(64);
});
