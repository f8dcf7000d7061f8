/** Where rows stand in attention's stream, over many segmentations. */
import { placeRows, rowsOf } from '../../../../activities/engine/model/places';
import { randomStream } from '../../../../activities/engine/random';
import { between } from '../../../support/graphs';
import { plain, sharedPrompt, visibility } from '../../../support/streams';

const random = randomStream('places');
const CASES = Array.from({ length: 200 }, (_, i) => {
  const segments = [...sharedPrompt(0, random.below(40), [between(random, 1, 20), between(random, 1, 20)])];
  for (let more = random.below(3); more > 0; more--)
    segments.push(...sharedPrompt(segments.at(-1)!.end, random.below(20), [between(random, 1, 9)]));
  const tokens = segments.at(-1)!.end;
  return {
    segments,
    tokens,
    rows: tokens + random.below(20),
    tile: [4, 8, 16][i % 3]!,
    gap: [0, 1 / 4, 1][random.below(3)]!,
  };
});

test('each row has a place of its own, tokens in order, in whole tiles', () => {
  for (const { segments, tokens, rows, tile, gap } of CASES) {
    const { rowOf, placeOf, length } = placeRows(segments, rows, tile, gap);
    expect(placeOf.map(place => rowOf[place])).toEqual([...Array(rows).keys()]);
    const places = placeOf.slice(0, tokens);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect([rowOf.length, length % tile]).toEqual([length, 0]);
    expect(rowOf.every(row => row < Math.max(1, rows))).toBe(true);
  }
});

test("rows see what they are to see, and nothing of what is nobody's", () => {
  for (const { segments, tokens, rows, tile, gap } of CASES) {
    const { segments: placed, placeOf, length } = placeRows(segments, rows, tile, gap);
    const wanted = visibility(segments, tokens);
    const found = visibility(placed, length);
    const seenPlaces = (query: number): number[] => found[query]!.flatMap((seen, place) => (seen ? [place] : []));
    for (let row = 0; row < tokens; row++) {
      const places = wanted[row]!.flatMap((seen, other) => (seen ? [placeOf[other]!] : []));
      expect(seenPlaces(placeOf[row]!)).toEqual(places);
    }
    // Rows behind the tokens have no gradient: they see, and are seen by, none but their like.
    const behind = new Set(placeOf.slice(tokens));
    const mixed = found.flatMap((row, query) => row.map((seen, key) => seen && behind.has(query) !== behind.has(key)));
    expect(mixed.some(Boolean)).toBe(false);
  }
});

test('segments cover all places, without gaps', () => {
  for (const { segments, rows, tile, gap } of CASES) {
    const { segments: placed, length } = placeRows(segments, rows, tile, gap);
    expect(placed.map(({ start }) => start)).toEqual([0, ...placed.slice(0, -1).map(({ end }) => end)]);
    expect(placed.at(-1)!.end).toBe(length);
  }
});

test.each([
  [0, [0, 5, 16, 19]],
  [1 / 4, [0, 5, 16, 19]],
  [3 / 8, [0, 8, 19, 24]],
  [1, [0, 8, 24, 32]],
])('a gap up to a share %d of a tile is skipped before a segment', (gap, starts) => {
  const segments = [plain(0, 5), plain(5, 16), plain(16, 19), plain(19, 24)];
  const { placeOf } = placeRows(segments, 24, 8, gap);
  expect(segments.map(({ start }) => placeOf[start])).toEqual(starts);
});

test('what fills up the last tile sees itself alone', () => {
  expect(placeRows([plain(0, 300)], 304, 128, 1).segments).toEqual([plain(0, 300), plain(300, 304), plain(304, 384)]);
  expect(placeRows([plain(0, 256)], 256, 128, 1).segments).toEqual([plain(0, 256)]);
});

test('few rows more than there are tokens', () => {
  expect([1, 128, 129, 300, 304].map(rowsOf)).toEqual([128, 128, 144, 304, 304]);
});

test("rows behind the tokens take places that are nobody's", () => {
  const { length, placeOf } = placeRows([plain(0, 7), plain(7, 15)], 17, 8, 1);
  expect([length, placeOf.slice(15)]).toEqual([24, [7, 16]]);
});
