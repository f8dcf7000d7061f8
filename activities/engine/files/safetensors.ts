/**
 * safetensors files: eight bytes of header length, a JSON header, then the tensors' bytes back to back
 * (https://github.com/huggingface/safetensors, "Format"). Nothing is ever held but the tensor in hand, and a tensor is
 * read straight into the memory it is returned in, so files larger than memory's largest buffer are no special case.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { EngineRequestError } from '../protocol/index.js';
import { expandBfloat16, expandFloat16 } from './float16.js';
import { parseHeader, type TensorEntry } from './safetensors-header.js';

/** Row-major 32-bit floats; `data.length` is the product of `shape` (1 for a scalar's empty shape). */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export type Tensors = Map<string, Tensor>;

/** What a written file is known by. */
export interface Fingerprint {
  /** Of the whole file, hex. */
  sha256: string;
  bytes: number;
}

/** Node reads and writes at most 2 GiB at a time; smaller pieces also let hashing and writing overlap. */
const CHUNK_BYTES = 32 * 2 ** 20;

/** Dtypes that become 32-bit floats exactly. The narrow ones are read into the buffer's upper half, then spread over it. */
const READERS: Record<string, { width: 2 | 4; expand: (buffer: ArrayBuffer) => void }> = {
  F32: { width: 4, expand: () => {} },
  F16: { width: 2, expand: expandFloat16 },
  BF16: { width: 2, expand: expandBfloat16 },
};

/** An open safetensors file. Reads are positioned, so several may be under way at once. */
export class SafetensorsFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    readonly entries: ReadonlyMap<string, TensorEntry>,
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  /**
   * Opens the file and checks its whole header; tensors are read later, one by one.
   * @throws EngineRequestError (bad-model) naming file, tensor, value and expectation; the file system's own errors.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const { entries, metadata } = await parseHeader(path, size, (target, position) =>
        readFully(path, handle, target, position),
      );
      return new SafetensorsFile(path, handle, entries, metadata);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Reads one tensor as 32-bit floats. F32, F16 and BF16 are understood; any other dtype is refused by name. */
  async read(name: string): Promise<Tensor> {
    const entry = this.entries.get(name);
    if (!entry) throw new EngineRequestError(`${this.path}: holds no tensor '${name}'`, 'bad-model');
    const reader = READERS[entry.dtype];
    if (!reader) {
      throw new EngineRequestError(
        `${this.path}: tensor '${name}' has dtype ${entry.dtype}; expected one of ${Object.keys(READERS).join(', ')}: convert the model to one of them`,
        'unsupported',
      );
    }
    const data = new Float32Array((entry.end - entry.begin) / reader.width);
    const bytes = new Uint8Array(data.buffer, data.byteLength - (entry.end - entry.begin));
    await readFully(this.path, this.handle, bytes, entry.begin);
    reader.expand(data.buffer);
    return { shape: [...entry.shape], data };
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/**
 * Writes the tensors as F32, byte for byte the same for the same tensors: names sorted, header padded to eight bytes.
 * The file is on the disk (fsync) when the promise resolves. An existing file is replaced.
 * @param metadata strings for the header's `__metadata__`; transformers wants `format: 'pt'`, which is always there.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Fingerprint> {
  const handle = await open(path, 'w');
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for (const piece of serialized(tensors, metadata)) {
      const writing = writeFully(handle, piece, bytes);
      hash.update(piece);
      await writing;
      bytes += piece.byteLength;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** What `writeSafetensors` would return, without writing. */
export function fingerprintSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Fingerprint {
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  for (const piece of serialized(tensors, metadata)) {
    hash.update(piece);
    bytes += piece.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** The file's bytes in order, in pieces that are views of the tensors' own memory. */
function* serialized(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = Object.create(null);
  header.__metadata__ = sortedRecord({ format: 'pt', ...metadata });
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name)!;
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements !== data.length || name === '__metadata__') {
      throw new EngineRequestError(
        `tensor '${name}' cannot be written: shape [${shape}] has ${elements} elements, its data ${data.length}`,
        'internal',
      );
    }
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  yield padded;
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = tensors.get(name)!.data;
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      yield new Uint8Array(buffer, byteOffset + at, Math.min(CHUNK_BYTES, byteLength - at));
    }
  }
}

function sortedRecord(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readFully(path: string, handle: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.byteLength; ) {
    const length = Math.min(CHUNK_BYTES, target.byteLength - done);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw new EngineRequestError(
        `${path}: ends at byte ${position + done}, ${target.byteLength - done} bytes before it should: it was cut off; fetch or write it again`,
        'bad-model',
      );
    }
    done += bytesRead;
  }
}

async function writeFully(handle: FileHandle, source: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < source.byteLength; ) {
    const { bytesWritten } = await handle.write(source, done, source.byteLength - done, position + done);
    done += bytesWritten;
  }
}
