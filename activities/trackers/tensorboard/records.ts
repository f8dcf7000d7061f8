/** TFRecord, the frame of event files: length (8 bytes), its checksum (4), data, its checksum (4), little-endian. */
import type { Scanned } from '../appended-file.js';
import { maskedCrc32c } from './crc32c.js';

const HEAD = 12;
const TAIL = 4;

export function recordBytes(data: Uint8Array): Buffer {
  const record = Buffer.alloc(HEAD + data.length + TAIL);
  record.writeBigUInt64LE(BigInt(data.length));
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, HEAD);
  record.writeUInt32LE(maskedCrc32c(data), HEAD + data.length);
  return record;
}

/** Up to the first that is cut short or damaged. */
export function scanRecords(bytes: Buffer): Scanned<Buffer> {
  const records: Buffer[] = [];
  let at = 0;
  while (at + HEAD <= bytes.length) {
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(bytes.subarray(at, at + 8))) break;
    const end = at + HEAD + Number(bytes.readBigUInt64LE(at));
    if (end + TAIL > bytes.length) break;
    const data = bytes.subarray(at + HEAD, end);
    if (bytes.readUInt32LE(end) !== maskedCrc32c(data)) break;
    records.push(data);
    at = end + TAIL;
  }
  return { records, length: at };
}
