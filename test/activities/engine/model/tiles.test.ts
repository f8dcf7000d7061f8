/** The size of tiles: as little work as it can be, and enough room. */
import { attentionWork } from '../../../../activities/engine/model/plan';
import { aloneInTiles, filledUp, leastWork, TILES, tileOf } from '../../../../activities/engine/model/tiles';

test.each([1, 127, 128, 129, 300, 1000, 5000])('a sequence of %d tokens takes the least work in its tiles', tokens => {
  const work = (tile: number): number =>
    attentionWork({ segments: aloneInTiles(tokens, tile), length: filledUp(tokens, tile), tile });
  expect(work(tileOf(tokens))).toBe(Math.min(...TILES.map(work)));
});

test('short ones have small tiles, long ones large tiles', () => {
  expect([100, 128, 300, 1024, 8192, 20_000].map(tileOf)).toEqual([128, 128, 128, 256, 512, 512]);
});

test('of equals the smaller', () => {
  const stream = (tile: number) => ({ segments: aloneInTiles(1, 128), length: 128, tile: 128, asked: tile });
  expect(leastWork(stream).asked).toBe(TILES[0]);
});

test('what fills up the last tile sees itself alone', () => {
  expect(aloneInTiles(300, 128, 512)).toEqual([
    { start: 512, end: 812, prefixStart: 512, prefixEnd: 512 },
    { start: 812, end: 896, prefixStart: 812, prefixEnd: 812 },
  ]);
  expect(aloneInTiles(256, 128)).toEqual([{ start: 0, end: 256, prefixStart: 0, prefixEnd: 0 }]);
});
