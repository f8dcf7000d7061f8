/** Large files travel in pieces, several at once, each of which is sent or asked for again by itself. */

export interface Piece {
  /** From 1, as servers count. */
  number: number;
  start: number;
  bytes: number;
}

const PIECE_BYTES = 16 << 20;
/** Of 10,000 that an upload may have. */
const MOST_PIECES = 9000;
/** Memory of what is under way at once. */
const IN_FLIGHT_BYTES = 64 << 20;

export interface Plan {
  pieces: Piece[];
  /** How many at once. */
  concurrency: number;
}

/** The same for the same size whenever it is asked for, so that what was begun can be gone on with. */
export function planOf(bytes: number): Plan {
  const size = Math.max(PIECE_BYTES, Math.ceil(bytes / MOST_PIECES));
  const pieces: Piece[] = [];
  for (let start = 0; start < bytes; start += size)
    pieces.push({ number: pieces.length + 1, start, bytes: Math.min(size, bytes - start) });
  return { pieces, concurrency: Math.max(1, Math.floor(IN_FLIGHT_BYTES / size)) };
}

/** Whether a file travels as a whole. */
export const isSmall = (bytes: number): boolean => bytes <= PIECE_BYTES;

/** Small files at once. */
export const SMALL_AT_ONCE = 4;
