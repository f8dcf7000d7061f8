/** Scaled and plain rotary embeddings against transformers (test/fixtures/golden/golden_rotary.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { type DecoderConfig, parseConfig } from '../../../../activities/engine/model/config';
import { RotaryTable, rotaryFrequencies } from '../../../../activities/engine/model/rotary';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { decodeFloats, goldenFolder } from '../../../support/golden';

interface Packed {
  base64: string;
}

interface GoldenTable {
  name: string;
  config: object;
  frequencies: Packed;
  attentionFactor: number;
  cosine: Packed;
  sine: Packed;
}

interface GoldenRotary {
  positions: number[];
  tables: GoldenTable[];
  models: { name: string; family: string; changes: object; ids: number[]; logprobs: (number | null)[] }[];
}

const rotary = JSON.parse(readFileSync(join(goldenFolder('.'), 'rotary.json'), 'utf8')) as GoldenRotary;

/** Two units in the last place of 32 bits: PyTorch's powers are within one of the exact value. */
const TWO_BITS = 2 ** -22;

describe.each(rotary.tables)('$name', golden => {
  const config = parseConfig('config.json', golden.config);
  const frequencies = decodeFloats(golden.frequencies.base64);

  test('frequencies', () => {
    const own = rotaryFrequencies(config);
    expect(own.length).toBe(frequencies.length);
    frequencies.forEach((want, i) => {
      expect([i, Math.abs(own[i]! / want - 1) < TWO_BITS]).toEqual([i, true]);
    });
  });

  test('cosines and sines, times the attention factor', () => {
    expectAngles(config, golden, 63);
  });
});

test('cosines and sines at position 100,000', () => {
  const golden = rotary.tables.find(table => table.name === 'yarn, version 4')!;
  expectAngles(parseConfig('config.json', golden.config), golden, 100_000);
});

function expectAngles(config: DecoderConfig, golden: GoldenTable, last: number): void {
  const feeds = new RotaryTable(config).feeds(last + 1);
  const frequencies = decodeFloats(golden.frequencies.base64);
  const half = frequencies.length;
  for (const name of ['cosine', 'sine'] as const) {
    const own = feeds[`rotary_${name}`].data as Float32Array;
    decodeFloats(golden[name].base64).forEach((want, at) => {
      const position = rotary.positions[Math.floor(at / half)]!;
      if (position > last) return;
      const got = own[position * half + (at % half)]!;
      const tolerance = golden.attentionFactor * (1e-6 + position * frequencies[at % half]! * TWO_BITS);
      expect([name, position, at % half, Math.abs(got - want) < tolerance]).toEqual([name, position, at % half, true]);
    });
  }
}

test.each(rotary.models)(
  'log-probabilities of $family with $name scaling',
  async ({ family, changes, ids, logprobs }) => {
    const folder = await readModelFolder(goldenFolder(family));
    const config: DecoderConfig = parseConfig('config.json', { ...JSON.parse(folder.configText), ...changes });
    const score = async (scored: DecoderConfig) => {
      const trainer = new Trainer(scored, new RotaryTable(scored), { threads: 2 });
      const groups = [{ promptIds: [ids[0]!], responses: [ids.slice(1)] }];
      const options = { temperature: 1, microBatchTokens: 4096, checkpoint: async () => {} };
      const result = await trainer.score(folder.tensors, groups, options);
      await trainer.release();
      return Math.max(...result.logprobs.map((value, t) => Math.abs(value - logprobs[t + 1]!)));
    };
    expect(await score(config)).toBeLessThan(1e-4);
    expect(await score(folder.config)).toBeGreaterThan(0.1);
  },
);
