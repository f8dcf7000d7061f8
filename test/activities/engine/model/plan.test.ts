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
}

/** The visits of one side, row by row, as attention.ts reads them. */
function visits(feeds: Feeds, side: 'query' | 'key'): Visit[] {
  return (['whole', 'partial'] as const).flatMap(kind => {
    const list = (field: string): number[] => numbers(feeds, `by_${side}_${kind}_${field}`);
    const [start, count, block] = [list('start'), list('count'), list('block')];
    const mask = kind === 'partial' ? list('mask') : null;
    return start.flatMap((first, row) =>
      Array.from({ length: count[row]! }, (_, i) => {
        if (first + i >= block.length) throw new Error(`row ${row} of ${side}s reads past its list`);
        return { row, block: block[first + i]!, mask: mask && mask[first + i]! };
      }),
    );
  });
}

/** What the plan lets each query see, [queries][keys]. */
function seen(feeds: Feeds, length: number, tile: number): boolean[][] {
  const matrix = Array.from({ length }, () => new Array<boolean>(length).fill(false));
  const masks = feeds.masks!.data as Float32Array;
  for (const { row, block, mask } of visits(feeds, 'query'))
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

/** Tiles of the true matrix by how much of them is seen. */
function tiles(matrix: boolean[][], tile: number): { whole: string[]; partial: string[] } {
  const found = { whole: [] as string[], partial: [] as string[] };
  for (let row = 0; row < matrix.length / tile; row++)
    for (let block = 0; block < matrix.length / tile; block++) {
      const entries = matrix
        .slice(row * tile, (row + 1) * tile)
        .flatMap(keys => keys.slice(block * tile, (block + 1) * tile));
      if (entries.every(Boolean)) found.whole.push(`${row}/${block}`);
      else if (entries.some(Boolean)) found.partial.push(`${row}/${block}`);
    }
  return found;
}

function expectPlan({ segments, length }: Stream, tile: number): void {
  const feeds = planTiles(segments, length, tile, ['query', 'key']) as Feeds;
  const matrix = visibility(segments, length);
  expect(drawn(seen(feeds, length, tile))).toBe(drawn(matrix));
  const byQuery = visits(feeds, 'query');
  const named = (whole: boolean): string[] =>
    byQuery.filter(v => (v.mask === null) === whole).map(v => `${v.row}/${v.block}`);
  const expected = tiles(matrix, tile);
  expect(named(true).sort()).toEqual(expected.whole.sort());
  expect(named(false).sort()).toEqual(expected.partial.sort());
  // The backward pass goes over the same tiles with the same masks.
  const key = ({ row, block, mask }: Visit): string => `${row}/${block}/${mask}`;
  const turned = visits(feeds, 'key').map(({ row, block, mask }) => key({ row: block, block: row, mask }));
  expect(turned.sort()).toEqual(byQuery.map(key).sort());
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

test('only the directions asked for', () => {
  const names = (directions: ('query' | 'key')[]): string[] =>
    Object.keys(planTiles([plain(0, 16)], 16, 8, directions)).filter(name => name.startsWith('by_'));
  expect(names(['query']).every(name => name.startsWith('by_query_'))).toBe(true);
  expect(names(['query', 'key'])).toHaveLength(14);
});

test('equal masks are kept once, so a long sequence needs a single one', () => {
  const feeds = planTiles([plain(0, 512)], 512, 16, ['query']) as Feeds;
  expect(feeds.masks!.dims).toEqual([1, 16, 16]);
});

test('the number of visits grows with what is seen, not with the square of the stream', () => {
  const many = Array.from({ length: 64 }, (_, i) => plain(i * 16, (i + 1) * 16));
  expect(visits(planTiles(many, 1024, 16, ['query']) as Feeds, 'query')).toHaveLength(64);
});
