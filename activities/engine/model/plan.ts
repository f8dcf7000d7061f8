/**
 * Which tiles of the attention matrix are visited: the structure of a packed batch, worked out once and used by every layer.
 *
 * A packed batch is one stream of tokens cut into segments. A token sees its own segment up to itself, and, where its
 * segment continues a shared prompt, all of that prompt's segment.
 */
import * as ort from 'onnxruntime-node';

/** Half-open ranges of the stream; a segment that continues nothing has an empty prefix. */
export interface Segment {
  start: number;
  end: number;
  prefixStart: number;
  prefixEnd: number;
}

/** A piece of a segment inside one block of queries. */
interface Piece {
  from: number;
  to: number;
  segment: Segment;
}

interface Visit {
  query: number;
  key: number;
  /** Index of the mask; -1 where the tile is seen whole. */
  mask: number;
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

/** What decides a mask, relative to the tile: equal keys are equal masks. */
function maskKey(pieces: readonly Piece[], row: number, low: number, tile: number): string {
  const clip = (x: number): number => Math.max(0, Math.min(tile, x - low));
  const parts = pieces.map(({ from, to, segment: s }) =>
    [from - row, to - row, clip(s.prefixStart), clip(s.prefixEnd), clip(s.start)].join(','),
  );
  return `${row - low};${parts.join(';')}`;
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

const int64 = (values: readonly number[]): ort.Tensor =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);

/** One side's lists in compressed rows, under the names planInputs declares. */
function visitFeeds(
  name: string,
  visits: readonly Visit[],
  blocks: number,
  side: 'query' | 'key',
  withMask: boolean,
): ort.InferenceSession.FeedsType {
  const other = side === 'query' ? 'key' : 'query';
  const rows = Array.from({ length: blocks }, () => [] as Visit[]);
  for (const visit of visits) rows[visit[side]]!.push(visit);
  const flat = rows.flat();
  // onnxruntime wants no empty lists: one entry that no row refers to.
  if (flat.length === 0) flat.push({ query: 0, key: 0, mask: 0 });
  let next = 0;
  const starts = rows.map(row => {
    next += row.length;
    return next - row.length;
  });
  return {
    [`${name}_start`]: int64(starts),
    [`${name}_count`]: int64(rows.map(row => row.length)),
    [`${name}_block`]: int64(flat.map(v => v[other])),
    ...(withMask && { [`${name}_mask`]: int64(flat.map(v => v.mask)) }),
  };
}

/**
 * The feeds of attention.ts's planInputs.
 *
 * @param segments in order and without gaps from 0 to `length`
 * @param length a multiple of `tile`
 * @param directions the forward pass goes by query, the backward pass by key
 */
export function planTiles(
  segments: readonly Segment[],
  length: number,
  tile: number,
  directions: readonly ('query' | 'key')[],
): ort.InferenceSession.FeedsType {
  const blocks = length / tile;
  const visits: Visit[] = [];
  const maskIndex = new Map<string, number>();
  const masks: Float32Array[] = [];
  for (let query = 0; query < blocks; query++) {
    const row = query * tile;
    const pieces = cut(segments, row, row + tile);
    for (let key = 0; key <= query; key++) {
      const low = key * tile;
      const seen = new Set(pieces.map(piece => sight(piece, low, low + tile)));
      if (seen.size === 1 && seen.has('none')) continue;
      if (seen.size === 1 && seen.has('whole')) {
        visits.push({ query, key, mask: -1 });
        continue;
      }
      const id = maskKey(pieces, row, low, tile);
      let mask = maskIndex.get(id);
      if (mask === undefined) {
        mask = masks.length;
        maskIndex.set(id, mask);
        masks.push(new Float32Array(tile * tile));
        fillMask(masks[mask]!, pieces, row, low, tile);
      }
      visits.push({ query, key, mask });
    }
  }
  const stacked = new Float32Array(masks.length * tile * tile);
  masks.forEach((mask, i) => {
    stacked.set(mask, i * tile * tile);
  });
  const whole = visits.filter(v => v.mask < 0);
  const partial = visits.filter(v => v.mask >= 0);
  const feeds = directions.map(side => ({
    ...visitFeeds(`by_${side}_whole`, whole, blocks, side, false),
    ...visitFeeds(`by_${side}_partial`, partial, blocks, side, true),
  }));
  return Object.assign({ masks: new ort.Tensor('float32', stacked, [masks.length, tile, tile]) }, ...feeds);
}
