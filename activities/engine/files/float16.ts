/**
 * 16-bit floats widened to 32 bits in place: the narrow values fill the buffer's upper half and are spread over all of
 * it from the front. Element i is read at byte 2n + 2i and written at byte 4i, so no value is overwritten before its turn.
 */

/** bfloat16 is the upper half of a 32-bit float. */
export function expandBfloat16(buffer: ArrayBuffer): void {
  const wide = new Uint32Array(buffer);
  const narrow = new Uint16Array(buffer, buffer.byteLength / 2);
  for (let i = 0; i < narrow.length; i++) wide[i] = narrow[i]! << 16;
}

/** IEEE 754 binary16, by a table of all 65,536 values. */
export function expandFloat16(buffer: ArrayBuffer): void {
  const table = float16Table();
  const wide = new Uint32Array(buffer);
  const narrow = new Uint16Array(buffer, buffer.byteLength / 2);
  for (let i = 0; i < narrow.length; i++) wide[i] = table[narrow[i]!]!;
}

let cachedTable: Uint32Array | undefined;

/** Bits of the 32-bit float for each 16-bit pattern. Bits, so that a NaN's payload survives. */
function float16Table(): Uint32Array {
  if (cachedTable) return cachedTable;
  const table = new Uint32Array(65_536);
  const float = new Float32Array(1);
  const floatBits = new Uint32Array(float.buffer);
  for (let bits = 0; bits < table.length; bits++) {
    const sign = (bits & 0x8000) << 16;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) {
      float[0] = fraction * 2 ** -24;
      table[bits] = sign | floatBits[0]!;
    } else {
      const wideExponent = exponent === 31 ? 255 : exponent - 15 + 127;
      table[bits] = sign | (wideExponent << 23) | (fraction << 13);
    }
  }
  cachedTable = table;
  return table;
}
