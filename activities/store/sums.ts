/** The hash that an artifact was published with, as a file beside it: a line that says of itself whether it is whole. */
import { sha256 } from './canonical.js';

const CHECKED = /^([0-9a-f]{64}) ([0-9a-f]{8})\n$/;
/** As earlier versions wrote it. */
const BARE = /^[0-9a-f]{64}$/;

export const sumText = (hash: string): string => `${hash} ${checkOf(hash)}\n`;

/** The hash in a sum's text; null when it is damaged, which tells nothing of the artifact. */
export function hashIn(text: string): string | null {
  const [, hash, check] = CHECKED.exec(text) ?? [];
  if (hash !== undefined) return check === checkOf(hash) ? hash : null;
  return BARE.test(text) ? text : null;
}

const checkOf = (hash: string): string => sha256(hash).slice(0, 8);
