import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import {
  fingerprintSafetensors,
  SafetensorsFile,
  type Tensor,
  type Tensors,
  writeSafetensors,
} from '../../../../activities/engine/files/safetensors.js';
import { EngineRequestError } from '../../../../activities/engine/protocol/index.js';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-safetensors-'));
  path = join(folder, 'file.safetensors');
});
afterAll(() => rm(folder, { recursive: true }));

const tensor = (shape: number[], values: number[]): Tensor => ({ shape, data: Float32Array.from(values) });

function sampleTensors(): Tensors {
  return new Map([
    ['b.weight', tensor([2, 3], [1, -2, 3.5, Number.NaN, Number.NEGATIVE_INFINITY, 1e-42])],
    ['a', tensor([], [-0])],
    ['ü "quoted"', tensor([4], [1, 2, 3, 4])],
    ['10', tensor([1], [7])],
    ['empty', tensor([0, 5], [])],
  ]);
}

/** A file of any header over any data. */
function assemble(header: string | Buffer, data = Buffer.alloc(0), length?: bigint): Buffer {
  const text = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([prefix, text, data]);
}

const bits = (data: Float32Array) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

async function readAll(file: string): Promise<Tensors> {
  const opened = await SafetensorsFile.open(file);
  try {
    const tensors: Tensors = new Map();
    for (const name of opened.entries.keys()) tensors.set(name, await opened.read(name));
    return tensors;
  } finally {
    await opened.close();
  }
}

describe('writing', () => {
  test('what is read back is what was written, bit for bit', async () => {
    await writeSafetensors(path, sampleTensors(), { step: '3' });
    const back = await readAll(path);
    expect([...back.keys()].sort()).toEqual([...sampleTensors().keys()].sort());
    for (const [name, { shape, data }] of sampleTensors()) {
      expect({ name, shape: back.get(name)!.shape }).toEqual({ name, shape });
      expect(bits(back.get(name)!.data)).toEqual(bits(data));
    }
    const opened = await SafetensorsFile.open(path);
    expect(opened.metadata).toEqual({ format: 'pt', step: '3' });
    await opened.close();
  });

  test('the same tensors give the same bytes, whatever the order of the map', async () => {
    const first = await writeSafetensors(path, sampleTensors());
    const bytes = await readFile(path);
    const second = await writeSafetensors(path, new Map([...sampleTensors()].reverse()));
    expect(second).toEqual(first);
    expect(await readFile(path)).toEqual(bytes);
  });

  test('the fingerprint is that of the file, written or not', async () => {
    const written = await writeSafetensors(path, sampleTensors());
    const content = await readFile(path);
    expect(written).toEqual({
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: (await stat(path)).size,
    });
    expect(fingerprintSafetensors(sampleTensors())).toEqual(written);
    const changed = sampleTensors();
    changed.get('10')!.data[0] = 8;
    expect(fingerprintSafetensors(changed).sha256).not.toBe(written.sha256);
  });

  test('the header begins the data at a multiple of eight bytes, its names sorted', async () => {
    await writeSafetensors(path, new Map([...sampleTensors()].filter(([name]) => name !== '10')));
    const content = await readFile(path);
    const length = Number(content.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(content.subarray(8, 8 + length).toString());
    expect(Object.keys(header)).toEqual(['__metadata__', 'a', 'b.weight', 'empty', 'ü "quoted"']);
  });

  test('tensors that are views of a larger buffer', async () => {
    const large = Float32Array.from({ length: 10 }, (_, i) => i);
    await writeSafetensors(path, new Map([['view', { shape: [3], data: large.subarray(4, 7) }]]));
    expect([...(await readAll(path)).get('view')!.data]).toEqual([4, 5, 6]);
  });

  test('a shape that does not fit its data is an error', async () => {
    await expect(writeSafetensors(path, new Map([['w', tensor([3], [1, 2])]]))).rejects.toThrow(
      /tensor 'w' cannot be written: shape \[3\] has 3 elements, its data 2/,
    );
  });

  test('a tensor larger than a piece of reading and writing', async () => {
    const data = new Float32Array(9 * 2 ** 20 + 5);
    for (let i = 0; i < data.length; i += 4093) data[i] = i;
    const { bytes } = await writeSafetensors(path, new Map([['large', { shape: [data.length], data }]]));
    expect(bytes).toBeGreaterThan(32 * 2 ** 20);
    const back = (await readAll(path)).get('large')!;
    expect(Buffer.compare(Buffer.from(back.data.buffer), Buffer.from(data.buffer))).toBe(0);
  });
});

describe('16-bit floats', () => {
  const file = (dtype: string, halves: number[]) =>
    assemble(
      JSON.stringify({ w: { dtype, shape: [halves.length], data_offsets: [0, halves.length * 2] } }),
      Buffer.from(Uint16Array.from(halves).buffer),
    );

  test('F16: every one of the 65,536 values', async () => {
    const halves = Array.from({ length: 65_536 }, (_, i) => i);
    await writeFile(path, file('F16', halves));
    const { data } = (await readAll(path)).get('w')!;
    for (const half of halves) {
      const sign = half & 0x8000 ? -1 : 1;
      const exponent = (half >> 10) & 31;
      const fraction = half & 1023;
      const special = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
      const finite = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (!Object.is(data[half], exponent === 31 ? special : finite)) {
        throw new Error(`half ${half.toString(16)} became ${data[half]}`);
      }
    }
  });

  test('BF16 is the upper half of a 32-bit float', async () => {
    await writeFile(path, file('BF16', [0x3f80, 0xc049, 0x0001, 0x8000, 0x7f80, 0x7fc1]));
    expect(bits((await readAll(path)).get('w')!.data)).toEqual(
      [0x3f80, 0xc049, 0x0001, 0x8000, 0x7f80, 0x7fc1].map(half => half * 65_536),
    );
  });

  test('another dtype is refused by name, when that tensor is asked for', async () => {
    await writeFile(
      path,
      assemble(
        '{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}',
        Buffer.alloc(12),
      ),
    );
    const opened = await SafetensorsFile.open(path);
    expect([...(await opened.read('w')).data]).toEqual([0]);
    await expect(opened.read('ids')).rejects.toThrow(/tensor 'ids' has dtype I64; expected one of F32, F16, BF16/);
    await expect(opened.read('nothing')).rejects.toThrow(/holds no tensor 'nothing'/);
    await opened.close();
  });
});

describe('hostile headers are refused with the file, the tensor, the value and what was expected', () => {
  const entry = (value: object | string, data = 4) =>
    assemble(`{"w":${typeof value === 'string' ? value : JSON.stringify(value)}}`, Buffer.alloc(data));
  const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });

  test.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /0 bytes long; expected at least 10/],
    ['a cut-off length', Buffer.from([1, 0, 0]), /3 bytes long/],
    ['a header cut off', assemble('{"w":', undefined, 500n), /header length 500; expected 2 to 5 /],
    ['a huge header length', assemble('{}', undefined, 2n ** 64n - 1n), /header length 18446744073709551615; expected/],
    ['a header length of zero', assemble('{}', undefined, 0n), /header length 0; expected 2/],
    [
      'a pointer file',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'),
      /header length \d{10}/,
    ],
    ['not JSON', assemble('{"w": nonsense}'), /the header is not JSON/],
    ['not UTF-8', assemble(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), /the header is not JSON/],
    ['a list', assemble('[]'), /not a JSON object/],
    ['a null', assemble('null'), /not a JSON object/],
    ['metadata that is no record', assemble('{"__metadata__":{"a":1}}'), /__metadata__ is not an object of strings/],
    ['an entry that is no object', entry('3'), /tensor 'w'/],
    ['an unknown dtype', entry({ dtype: 'F31', shape: [1], data_offsets: [0, 4] }), /tensor 'w': dtype: .*F32/],
    ['a missing shape', entry({ dtype: 'F32', data_offsets: [0, 4] }), /tensor 'w': shape/],
    ['a negative length', entry(f32([-1], [0, 4])), /tensor 'w': shape\.0/],
    ['a fractional length', entry(f32([0.5], [0, 4])), /tensor 'w': shape\.0/],
    [
      'a length beyond whole numbers',
      entry('{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}'),
      /tensor 'w': shape\.0/,
    ],
    ['a product beyond whole numbers', entry(f32([2 ** 40, 2 ** 40], [0, 4])), /tensor 'w' of shape .* takes/],
    ['infinity times zero', entry(f32([...Array(40).fill(2 ** 40), 0], [0, 0]), 0), /tensor 'w' of shape .* takes NaN/],
    ['a shape too small', entry(f32([2], [0, 4])), /shape \[2\] and dtype F32 takes 8 bytes; its data_offsets span 4/],
    ['negative offsets', entry(f32([1], [-4, 0])), /tensor 'w': data_offsets\.0/],
    ['offsets the wrong way round', entry(f32([1], [4, 0])), /data_offsets \[4, 0\]; expected them in order/],
    [
      'offsets beyond the file',
      entry(f32([2], [0, 8])),
      /data_offsets \[0, 8\]; expected them in order and within 0 to 4/,
    ],
    ['three offsets', entry(f32([1], [0, 4, 8])), /tensor 'w': data_offsets/],
    ['a hole before', entry(f32([1], [4, 8]), 8), /tensor 'w' begins at data byte 4; expected 0/],
    ['bytes left over', entry(f32([1], [0, 4]), 8), /tensors end at data byte 4, the file at 8/],
    [
      'an overlap',
      assemble(JSON.stringify({ a: f32([2], [0, 8]), b: f32([2], [4, 12]) }), Buffer.alloc(12)),
      /tensor 'b' begins at data byte 4; expected 8/,
    ],
    [
      'a name given twice, so that one is hidden',
      assemble(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        Buffer.alloc(8),
      ),
      /tensor 'w' begins at data byte 4; expected 0/,
    ],
  ])('%s', async (_, content, message) => {
    await writeFile(path, content);
    const failure = await SafetensorsFile.open(path).catch(error => error);
    expect(failure).toBeInstanceOf(EngineRequestError);
    expect(failure.code).toBe('bad-model');
    expect(failure.message).toMatch(message);
    expect(failure.message.startsWith(path)).toBe(true);
    expect(failure.message.length).toBeLessThan(2_000);
  });

  test('a name that every object has a property of is but a name', async () => {
    await writeFile(path, entryNamed('toString'));
    expect([...(await readAll(path)).keys()]).toEqual(['toString']);
    await writeFile(path, entryNamed('a'));
    expect([...(await readAll(path)).keys()]).toEqual(['a']);
  });

  const entryNamed = (name: string) =>
    assemble(`{"${name}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, Buffer.alloc(4));

  test('a file cut off after it was opened', async () => {
    await writeSafetensors(path, new Map([['w', tensor([4], [1, 2, 3, 4])]]));
    const opened = await SafetensorsFile.open(path);
    const handle = await open(path, 'r+');
    await handle.truncate((await stat(path)).size - 6);
    await handle.close();
    await expect(opened.read('w')).rejects.toThrow(/ends at byte \d+, 6 bytes before it should/);
    await opened.close();
  });
});

describe('seeded mutations of a sound file', () => {
  const pick = (rng: RandomGenerator, below: number) => uniformInt(rng, 0, below - 1);
  const NUMBERS = ['-1', '0', '1', '3', '4', '8', '1e9', '1e400', '9007199254740993', '0.5', 'null', '"4"', '[]', '{}'];

  /** Header text in, header text out: a byte, a number, a stretch. */
  const mutations: ((rng: RandomGenerator, header: string) => string)[] = [
    (rng, text) => splice(text, pick(rng, text.length), 1, String.fromCharCode(pick(rng, 128))),
    (rng, text) => splice(text, pick(rng, text.length), 1 + pick(rng, 20), ''),
    (rng, text) => {
      const numbers = [...text.matchAll(/\d+/g)];
      const { index, 0: found } = numbers[pick(rng, numbers.length)]!;
      return splice(text, index, found.length, NUMBERS[pick(rng, NUMBERS.length)]!);
    },
    (rng, text) => text.replace(/\.weight|quoted|pt/, 'renamed'.slice(pick(rng, 7))),
    (rng, text) => text.replace(/F32/, ['F16', 'BF16', 'I32', 'U8', 'f32', ''][pick(rng, 6)]!),
    (rng, text) => {
      const from = pick(rng, text.length);
      return splice(text, pick(rng, text.length), 0, text.slice(from, from + pick(rng, 40)));
    },
  ];
  const splice = (text: string, at: number, count: number, insert: string) =>
    text.slice(0, at) + insert + text.slice(at + count);

  test('each of 300 is refused with a message, or read as its own header says', async () => {
    await writeSafetensors(path, sampleTensors());
    const sound = await readFile(path);
    const length = Number(sound.readBigUInt64LE());
    const header = sound.subarray(8, 8 + length).toString();
    const data = sound.subarray(8 + length);
    const rng = xoroshiro128plus(20_251_123);
    const outcomes = { refused: 0, read: 0 };
    for (let i = 0; i < 300; i++) {
      let text = header;
      for (let times = 1 + pick(rng, 2); times > 0; times--) text = mutations[pick(rng, mutations.length)]!(rng, text);
      await writeFile(path, assemble(text, data));
      try {
        expectAsDeclared(await readAll(path), text, data);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof EngineRequestError)) throw error;
        outcomes.refused++;
      }
    }
    expect(outcomes.refused + outcomes.read).toBe(300);
    expect(outcomes.refused).toBeGreaterThan(100);
    expect(outcomes.read).toBeGreaterThan(10);
  });

  /** The values, taken from the bytes the header names without any of the reader's code. */
  function expectAsDeclared(tensors: Tensors, header: string, data: Buffer): void {
    const { __metadata__: _, ...entries } = JSON.parse(header);
    expect([...tensors.keys()]).toEqual(Object.keys(entries));
    for (const [name, { shape, data: values }] of tensors) {
      expect(shape).toEqual(entries[name].shape);
      if (entries[name].dtype !== 'F32') continue;
      const [from, to] = entries[name].data_offsets;
      expect(Buffer.from(values.buffer)).toEqual(Buffer.from(data.subarray(from, to)));
    }
  }
});
