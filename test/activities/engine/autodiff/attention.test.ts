/** Attention by tiles, output and gradients, against the softmax written out in 64 bits. */
import { attention, attentionInputs } from '../../../../activities/engine/autodiff/attention';
import type { HeadLayout } from '../../../../activities/engine/autodiff/attention-rows';
import { gradients } from '../../../../activities/engine/autodiff/gradients';
import { floatData, floats } from '../../../../activities/engine/graph/session';
import { attentionFeeds, placeRows } from '../../../../activities/engine/model/places';
import { randomStream } from '../../../../activities/engine/random';
import { evaluate, randomFloats } from '../../../support/graphs';
import { plain, randomSegments, type Stream, sharedPrompt, visibility } from '../../../support/streams';

interface Tensors {
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  /** The gradient of the output. */
  weights: Float32Array;
}

interface Results {
  out: ArrayLike<number>;
  dq: ArrayLike<number>;
  dk: ArrayLike<number>;
  dv: ArrayLike<number>;
}

const sum = (length: number, term: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < length; i++) total += term(i);
  return total;
};

/** One query at a time: p = softmax(q k / sqrt D), out = p v; dv = p dout, ds = p (dout v - out dout). */
function reference({ q, k, v, weights }: Tensors, { segments, length }: Stream, layout: HeadLayout): Results {
  const { kvHeads, repeats, headDim: D } = layout;
  const heads = kvHeads * repeats;
  const scale = 1 / Math.sqrt(D);
  const [out, dq] = [new Float64Array(q.length), new Float64Array(q.length)];
  const [dk, dv] = [new Float64Array(k.length), new Float64Array(v.length)];
  visibility(segments, length).forEach((row, t) => {
    const keys = row.flatMap((visible, j) => (visible ? [j] : []));
    for (let h = 0; h < heads; h++) {
      const at = (t * heads + h) * D;
      const places = keys.map(j => (j * kvHeads + Math.floor(h / repeats)) * D);
      const scores = places.map(p => scale * sum(D, d => q[at + d]! * k[p + d]!));
      const top = Math.max(...scores);
      const total = scores.reduce((a, s) => a + Math.exp(s - top), 0);
      const p = scores.map(s => Math.exp(s - top) / total);
      for (let d = 0; d < D; d++) out[at + d] = sum(p.length, j => p[j]! * v[places[j]! + d]!);
      const delta = sum(D, d => out[at + d]! * weights[at + d]!);
      places.forEach((place, j) => {
        const ds = p[j]! * (sum(D, d => weights[at + d]! * v[place + d]!) - delta);
        for (let d = 0; d < D; d++) {
          dv[place + d]! += p[j]! * weights[at + d]!;
          dq[at + d]! += ds * scale * k[place + d]!;
          dk[place + d]! += ds * scale * q[at + d]!;
        }
      });
    }
  });
  return { out, dq, dk, dv };
}

/** @param gap share of a tile that is skipped before a segment */
async function engine(tensors: Tensors, { segments, length }: Stream, layout: HeadLayout, gap = 0): Promise<Results> {
  const { kvHeads, repeats, headDim, tile } = layout;
  const [wide, narrow] = [kvHeads * repeats * headDim, kvHeads * headDim];
  const widths = { q: wide, k: narrow, v: narrow, weights: wide };
  const results = await evaluate(
    g => {
      const input = (name: keyof Tensors) => g.input(name, 'float32', ['T', widths[name]]);
      const [q, k, v] = [input('q'), input('k'), input('v')];
      const out = attention(g, q, k, v, attentionInputs(g, layout), layout);
      const loss = g.sum(g.op('Mul', [out, input('weights')]), [0, 1], false);
      const [dq, dk, dv] = gradients(g, loss, [q, k, v]);
      return { out, dq: dq!, dk: dk!, dv: dv! };
    },
    {
      ...attentionFeeds(placeRows(segments, length, tile, gap), ['query', 'key']),
      ...Object.fromEntries(
        Object.entries(widths).map(([name, width]) => [name, floats(tensors[name as keyof Tensors], [length, width])]),
      ),
    },
  );
  const data = (name: keyof Results): Float32Array => floatData(results, name);
  return { out: data('out'), dq: data('dq'), dk: data('dk'), dv: data('dv') };
}

function randomTensors(name: string, length: number, { kvHeads, repeats, headDim }: HeadLayout, size = 1): Tensors {
  const wide = length * kvHeads * repeats * headDim;
  const narrow = length * kvHeads * headDim;
  return {
    q: randomFloats(`${name} q`, wide, -size, size),
    k: randomFloats(`${name} k`, narrow, -size, size),
    v: randomFloats(`${name} v`, narrow),
    weights: randomFloats(`${name} weights`, wide),
  };
}

/** Largest difference over the largest value: 32-bit sums in another order. */
function worst(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const d = Math.abs(got[i]! - want[i]!);
    if (Number.isNaN(d)) return d;
    difference = Math.max(difference, d);
    size = Math.max(size, Math.abs(want[i]!));
  }
  return difference / size;
}

async function expectSame(
  name: string,
  stream: Stream,
  layout: HeadLayout,
  size?: number,
  gap?: number,
): Promise<void> {
  const tensors = randomTensors(name, stream.length, layout, size);
  const [got, want] = [await engine(tensors, stream, layout, gap), reference(tensors, stream, layout)];
  for (const part of ['out', 'dq', 'dk', 'dv'] as const) {
    expect(got[part]).toHaveLength(want[part].length);
    expect(worst(got[part], want[part])).toBeLessThan(1e-5);
  }
}

const padded: Stream = { length: 48, segments: [...sharedPrompt(0, 19, [7, 1, 12]), plain(39, 48)] };

test.each([
  [1, 1, 8],
  [1, 3, 16],
  [2, 1, 16],
  [2, 3, 8],
  [3, 2, 4],
])('%d key-value heads with %d queries each, heads of %d', (kvHeads, repeats, headDim) =>
  expectSame('layout', padded, { kvHeads, repeats, headDim, tile: 16 }),
);

test('any segmentation in tiles of any size', async () => {
  const random = randomStream('attention');
  for (let round = 0; round < 24; round++) {
    const tile = [4, 8, 16][round % 3]!;
    const layout = { kvHeads: 1 + (round % 2), repeats: 1 + random.below(3), headDim: 4, tile };
    // Some places are nobody's: none but at the end, those before long segments, those before all.
    const gap = [0, 1 / 4, 1][random.below(3)]!;
    await expectSame(`round ${round}`, randomSegments(random, tile), layout, 1, gap);
  }
});

test('the size of the tiles does not matter', async () => {
  const layout = { kvHeads: 2, repeats: 2, headDim: 4 };
  for (const tile of [4, 8, 16, 48]) await expectSame('one tensor for all', padded, { ...layout, tile });
});

test('scores hundreds apart neither overflow nor lose the largest', () =>
  expectSame('large', padded, { kvHeads: 1, repeats: 2, headDim: 4, tile: 8 }, 20));

test('a token that sees only itself passes its value on and has no gradient on its scores', async () => {
  const stream = { length: 8, segments: Array.from({ length: 8 }, (_, t) => plain(t, t + 1)) };
  const layout = { kvHeads: 1, repeats: 1, headDim: 4, tile: 4 };
  const tensors = randomTensors('alone', 8, layout);
  const { out, dq, dk, dv } = await engine(tensors, stream, layout);
  expect(worst(out, tensors.v)).toBeLessThan(1e-6);
  expect(worst(dv, tensors.weights)).toBeLessThan(1e-6);
  for (const gradient of [dq, dk])
    expect(Array.from(gradient).reduce((max, x) => Math.max(max, Math.abs(x)), 0)).toBeLessThan(1e-6);
});

test('what a token does not see does not change its output by a bit', async () => {
  const layout = { kvHeads: 2, repeats: 2, headDim: 4, tile: 8 };
  const tensors = randomTensors('hidden', padded.length, layout);
  const before = await engine(tensors, padded, layout);
  // The second response is token 26; tokens 27 to 38 are the third, from 39 on there is padding.
  const changed = { ...tensors, k: tensors.k.slice(), v: tensors.v.slice() };
  for (const part of [changed.k, changed.v]) part.fill(9, 26 * 8, 27 * 8);
  const after = await engine(changed, padded, layout);
  const rows = (out: ArrayLike<number>, from: number, to: number): number[] =>
    Array.from(out).slice(from * 16, to * 16);
  expect(rows(after.out, 0, 26)).toEqual(rows(before.out, 0, 26));
  expect(rows(after.out, 27, 48)).toEqual(rows(before.out, 27, 48));
  expect(rows(after.out, 26, 27)).not.toEqual(rows(before.out, 26, 27));
});
