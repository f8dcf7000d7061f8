/** The size of tiles: as little work as it can be, and enough room. */
import { attentionWork } from '../../../../activities/engine/model/plan';
import { leastWork, TILES, tileOf } from '../../../../activities/engine/model/tiles';
import { plain } from '../../../support/streams';

test.each([1, 127, 128, 129, 300, 1000, 5000])('a sequence of %d tokens takes the least work in its tiles', tokens => {
  const work = (tile: number): number => {
    const length = Math.ceil(tokens / tile) * tile;
    const padding = length > tokens ? [plain(tokens, length)] : [];
    return attentionWork({ segments: [plain(0, tokens), ...padding], length, tile });
  };
  expect(work(tileOf(tokens))).toBe(Math.min(...TILES.map(work)));
});

test('short ones have small tiles, long ones large tiles', () => {
  expect([100, 128, 300, 1024, 8192, 20_000].map(tileOf)).toEqual([128, 128, 128, 256, 512, 512]);
});

test('of equals the smaller', () => {
  const stream = (tile: number) => ({ segments: [plain(0, 1), plain(1, 128)], length: 128, tile: 128, asked: tile });
  expect(leastWork(stream).asked).toBe(TILES[0]);
});
