/**
 * The header of a safetensors file, read as if by somebody hostile: a model folder comes from the network, and a wrong
 * offset would otherwise become silently wrong weights. What is checked is what the reference implementation checks.
 */
import { z } from 'zod';
import { EngineRequestError } from '../protocol/index.js';

export interface TensorEntry {
  dtype: string;
  shape: readonly number[];
  /** First byte and the byte after the last, from the start of the file. */
  begin: number;
  end: number;
}

export interface Header {
  entries: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

/** Fills the whole target from a position in the file, or throws. */
export type ReadAt = (target: Uint8Array, position: number) => Promise<void>;

/** The reference implementation's limit; the largest published models need a few megabytes. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes an element, for every dtype of at least a byte in the format's definition. */
const DTYPE_BYTES: Record<string, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};

const natural = z.int().min(0);
const entrySchema = z.object({
  dtype: z.enum(Object.keys(DTYPE_BYTES)),
  shape: z.array(natural).max(64),
  data_offsets: z.tuple([natural, natural]),
});
const metadataSchema = z.record(z.string(), z.string());

/**
 * @param size of the file in bytes.
 * @throws EngineRequestError (bad-model) naming file, tensor, value and expectation.
 */
export async function parseHeader(path: string, size: number, readAt: ReadAt): Promise<Header> {
  const refuse = (problem: string): never => {
    throw new EngineRequestError(`${path}: not a sound safetensors file: ${problem}`, 'bad-model');
  };
  if (size < 10) refuse(`${size} bytes long; expected at least 10`);
  const prefix = new Uint8Array(8);
  await readAt(prefix, 0);
  const headerBytes = new DataView(prefix.buffer).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, size - 8);
  if (headerBytes > BigInt(limit) || headerBytes < 2n) {
    refuse(
      `header length ${headerBytes}; expected 2 to ${limit} in a file of ${size} bytes (is it cut off, or a pointer to a large file?)`,
    );
  }
  const text = new Uint8Array(Number(headerBytes));
  await readAt(text, 8);

  const dataStart = 8 + text.length;
  const entries = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseObject(text, refuse))) {
    if (name === '__metadata__') {
      const parsed = metadataSchema.safeParse(value);
      metadata = parsed.success ? parsed.data : refuse('__metadata__ is not an object of strings');
    } else {
      entries.set(name, parseEntry(name, value, size - dataStart, dataStart, refuse));
    }
  }
  checkCoverage(entries, dataStart, size, refuse);
  return { entries, metadata };
}

type Refuse = (problem: string) => never;

function parseObject(text: Uint8Array, refuse: Refuse): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    refuse(`the header is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse('the header is not a JSON object');
  }
  return value as object;
}

function parseEntry(name: string, value: unknown, dataBytes: number, dataStart: number, refuse: Refuse): TensorEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'value'}: ${issue.message}`);
    return refuse(`tensor '${name}': ${issues.join('; ')}`);
  }
  const { dtype, shape } = parsed.data;
  const [begin, end] = parsed.data.data_offsets;
  if (begin > end || end > dataBytes) {
    refuse(`tensor '${name}' has data_offsets [${begin}, ${end}]; expected them in order and within 0 to ${dataBytes}`);
  }
  const wanted = shape.reduce((product, length) => product * length, 1) * DTYPE_BYTES[dtype]!;
  if (wanted !== end - begin) {
    refuse(
      `tensor '${name}' of shape [${shape}] and dtype ${dtype} takes ${wanted} bytes; its data_offsets span ${end - begin}`,
    );
  }
  return { dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

/** The tensors must tile the data: an overlap shares bytes between two, and a hole hides bytes from every reader. */
function checkCoverage(entries: Map<string, TensorEntry>, dataStart: number, size: number, refuse: Refuse): void {
  const ordered = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = dataStart;
  for (const [name, { begin, end }] of ordered) {
    if (begin !== at) {
      refuse(
        `tensor '${name}' begins at data byte ${begin - dataStart}; expected ${at - dataStart}, where the tensor before it ends`,
      );
    }
    at = end;
  }
  if (at !== size) refuse(`its tensors end at data byte ${at - dataStart}, the file at ${size - dataStart}`);
}
