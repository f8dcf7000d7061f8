/**
 * TensorBoard's event files, read without any of the writer's code: TFRecord's frames with a bitwise CRC-32C, and protobuf's
 * wire format by field numbers, from the published descriptions of both.
 */

export interface ReadEvent {
  wallTime: number;
  step: number;
  fileVersion: string | null;
  values: ReadValue[];
}

export interface ReadValue {
  tag: string;
  plugin: string;
  content: Buffer;
  /** Of scalars. */
  number: number | null;
  /** Of texts. */
  text: string | null;
}

/** Throws for a frame that is not whole. */
export function readEvents(bytes: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    check(bytes, at, 8);
    check(bytes, at + 12, length);
    events.push(eventOf(bytes.subarray(at + 12, at + 12 + length)));
    at += 12 + length + 4;
  }
  return events;
}

function check(bytes: Buffer, at: number, length: number): void {
  const crc = bitwiseCrc32c(bytes.subarray(at, at + length));
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  if (bytes.readUInt32LE(at + length) !== masked) throw new Error(`the checksum at ${at + length} is wrong`);
}

export function bitwiseCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const low = (crc ^ (byte >> bit)) & 1;
      crc = (crc >>> 1) ^ (low ? 0x82f63b78 : 0);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Fields of a message by number: of wire type 0 a number, of 1 and 5 and 2 the bytes. */
function fieldsOf(bytes: Buffer): Map<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const READERS: Record<number, () => number | Buffer> = {
    0: varint,
    1: () => take(8),
    2: () => take(varint()),
    5: () => take(4),
  };
  while (at < bytes.length) {
    const key = varint();
    const value = READERS[key & 7]!();
    fields.set(key >>> 3, [...(fields.get(key >>> 3) ?? []), value]);
  }
  return fields;
}

const bytesAt = (bytes: Buffer, ...path: number[]): Buffer | null =>
  path.reduce<Buffer | null>(
    (inside, field) => (inside && (fieldsOf(inside).get(field)?.[0] as Buffer)) ?? null,
    bytes,
  );

function eventOf(bytes: Buffer): ReadEvent {
  const fields = fieldsOf(bytes);
  const summary = fields.get(5)?.[0] as Buffer | undefined;
  return {
    wallTime: (fields.get(1)![0] as Buffer).readDoubleLE(),
    step: (fields.get(2)?.[0] as number) ?? 0,
    fileVersion: fields.has(3) ? (fields.get(3)![0] as Buffer).toString() : null,
    values: ((summary && fieldsOf(summary).get(1)) ?? []).map(value => readValue(value as Buffer)),
  };
}

function readValue(bytes: Buffer): ReadValue {
  const floats = bytesAt(bytes, 8, 5);
  return {
    tag: bytesAt(bytes, 1)!.toString(),
    plugin: bytesAt(bytes, 9, 1, 1)!.toString(),
    content: bytesAt(bytes, 9, 1, 2) ?? Buffer.alloc(0),
    number: floats?.readFloatLE() ?? null,
    text: bytesAt(bytes, 8, 8)?.toString() ?? null,
  };
}
