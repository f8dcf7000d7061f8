/**
 * Which tiles of the attention matrix are visited: the structure of a packed batch, worked out once and used by every layer.
 *
 * A packed batch is one stream of tokens cut into segments. A token sees its own segment up to itself, and, where its
 * segment continues a shared prompt, all of that prompt's segment.
 */
import * as ort from 'onnxruntime-node';
import { integers } from '../graph/index.js';
import { type Group, groupBlocks, type Side, type Visit, workOf } from './lanes.js';

/** Half-open ranges of the stream; a segment that continues nothing has an empty prefix. */
export interface Segment {
  start: number;
  end: number;
  prefixStart: number;
  prefixEnd: number;
}

/** Tokens in segments, in order and without gaps from 0 to `length`, a multiple of `tile`. */
export interface Stream {
  segments: readonly Segment[];
  length: number;
  tile: number;
}

/** A piece of a segment inside one block of queries. */
interface Piece {
  from: number;
  to: number;
  segment: Segment;
}

type Sight = 'none' | 'whole' | 'partial';

/** How much of the keys [low, high) the rows of a piece see. Keys after the piece's first row count as partly seen. */
function sight({ from, segment }: Piece, low: number, high: number): Sight {
  const { start, prefixStart, prefixEnd } = segment;
  // An empty prefix touches nothing, also where its place lies inside the tile.
  const prefixTouches = Math.max(prefixStart, low) < Math.min(prefixEnd, high);
  if (!prefixTouches && start >= high) return 'none';
  if (prefixStart <= low && high <= prefixEnd) return 'whole';
  const begin = prefixEnd === start ? prefixStart : start;
  return begin <= low && high <= from + 1 ? 'whole' : 'partial';
}

function fillMask(mask: Float32Array, pieces: readonly Piece[], row: number, low: number, tile: number): void {
  mask.fill(Number.NEGATIVE_INFINITY);
  const clip = (x: number): number => Math.max(0, Math.min(tile, x - low));
  for (const { from, to, segment } of pieces)
    for (let i = from; i < to; i++) {
      const offset = (i - row) * tile;
      mask.fill(0, offset + clip(segment.prefixStart), offset + clip(segment.prefixEnd));
      mask.fill(0, offset + clip(segment.start), offset + clip(i + 1));
    }
}

function cut(segments: readonly Segment[], low: number, high: number): Piece[] {
  return segments
    .filter(s => s.start < high && s.end > low)
    .map(segment => ({ from: Math.max(segment.start, low), to: Math.min(segment.end, high), segment }));
}

/** The tiles of which anything is seen, query by query. */
function visitsOf({ segments, length, tile }: Stream): Visit[] {
  const visits: Visit[] = [];
  for (let query = 0; query < length / tile; query++) {
    const pieces = cut(segments, query * tile, (query + 1) * tile);
    for (let key = 0; key <= query; key++) {
      const seen = new Set(pieces.map(piece => sight(piece, key * tile, (key + 1) * tile)));
      if (seen.size > 1 || !seen.has('none')) visits.push({ query, key, whole: seen.size === 1 && seen.has('whole') });
    }
  }
  return visits;
}

/** The masks of tiles, equal ones once. */
class Masks {
  private readonly known = new Map<string, number>();
  private readonly masks: Float32Array[] = [];

  constructor(private readonly stream: Stream) {}

  /** The index of the mask of a tile that is seen in part. */
  of({ query, key }: Visit): number {
    const { segments, tile } = this.stream;
    const [row, low] = [query * tile, key * tile];
    const pieces = cut(segments, row, row + tile);
    // Relative to the tile: equal names are equal masks.
    const clip = (x: number): number => Math.max(0, Math.min(tile, x - low));
    const parts = pieces.map(({ from, to, segment: s }) =>
      [from - row, to - row, clip(s.prefixStart), clip(s.prefixEnd), clip(s.start)].join(','),
    );
    return this.index(`${row - low};${parts.join(';')}`, mask => fillMask(mask, pieces, row, low, tile));
  }

  /** That of tiles of which all is seen, or nothing. */
  filled(seen: boolean): number {
    return this.index(seen ? 'all' : 'nothing', mask => mask.fill(seen ? 0 : Number.NEGATIVE_INFINITY));
  }

  get feed(): ort.Tensor {
    const { tile } = this.stream;
    const stacked = new Float32Array(this.masks.length * tile * tile);
    this.masks.forEach((mask, i) => {
      stacked.set(mask, i * tile * tile);
    });
    return new ort.Tensor('float32', stacked, [this.masks.length, tile, tile]);
  }

  private index(name: string, fill: (mask: Float32Array) => void): number {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const mask = new Float32Array(this.stream.tile ** 2);
    fill(mask);
    this.known.set(name, this.masks.length);
    return this.masks.push(mask) - 1;
  }
}

/** One side's groups and turns, under the names planInputs declares. */
function sideFeeds(side: Side, groups: readonly Group[], masks: Masks, blocks: number): ort.InferenceSession.FeedsType {
  const width = groups[0]!.lanes.length;
  const other = side === 'query' ? 'key' : 'query';
  const places = new Array<number>(blocks);
  const turns: { block: number; mask: number; into: number }[][] = [];
  const starts: number[] = [];
  groups.forEach(({ lanes, whole, turns: count }, g) => {
    starts.push(turns.length);
    lanes.forEach(({ block, filler }, l) => {
      if (!filler) places[block] = g * width + l;
    });
    for (let turn = 0; turn < count; turn++)
      turns.push(
        lanes.map(({ visits, filler }) => {
          const visit = visits[turn];
          // What nobody reads is added to a block behind the last.
          if (!visit) return { block: visits[0]![other], mask: masks.filled(false), into: blocks };
          const masked = turn >= whole;
          const mask = masked ? (visit.whole ? masks.filled(true) : masks.of(visit)) : 0;
          return { block: visit[other], mask, into: filler ? blocks : visit[other] };
        }),
      );
  });
  const ofTurns = (field: 'block' | 'mask' | 'into') =>
    integers(
      turns.flat().map(lane => lane[field]),
      [turns.length, width],
    );
  const list = (values: readonly number[]) => integers(values, [values.length]);
  const feeds = {
    lanes: integers(
      groups.flatMap(({ lanes }) => lanes.map(({ block }) => block)),
      [groups.length, width],
    ),
    places: list(places),
    start: list(starts),
    whole: list(groups.map(({ whole }) => whole)),
    partial: list(groups.map(({ whole, turns }) => turns - whole)),
    block: ofTurns('block'),
    mask: ofTurns('mask'),
    ...(side === 'key' && { into: ofTurns('into'), every: list([...places.keys()]) }),
  };
  return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [`by_${side}_${name}`, feed]));
}

/** What a forward and a backward pass over the stream take, in elements of tiles that take as long. */
export function attentionWork(stream: Stream): number {
  const visits = visitsOf(stream);
  const blocks = stream.length / stream.tile;
  return (['query', 'key'] as const).reduce(
    (sum, side) => sum + workOf(groupBlocks(side, visits, blocks, stream.tile), stream.tile),
    0,
  );
}

/**
 * The feeds of attention.ts's planInputs.
 *
 * @param sides the forward pass goes by query, the backward pass by key
 */
export function planTiles(stream: Stream, sides: readonly Side[]): ort.InferenceSession.FeedsType {
  const visits = visitsOf(stream);
  const blocks = stream.length / stream.tile;
  const masks = new Masks(stream);
  const feeds = sides.map(side => sideFeeds(side, groupBlocks(side, visits, blocks, stream.tile), masks, blocks));
  return Object.assign({}, ...feeds, { masks: masks.feed });
}
