/**
 * What an artifact was published with, as a line in a file beside it, which says of itself whether it is whole:
 * the hash of its content, and its identity where that is not the whole content.
 */
import { sha256 } from './canonical.js';

export interface Sum {
  /** Of the content. */
  sha256: string;
  /** Hash of what must be the same whenever the artifact is made again; of all of it unless told. */
  identity: string;
}

const LINE = /^([0-9a-f]{64})(?: ([0-9a-f]{64}))? ([0-9a-f]{8})\n$/;
/** As earlier versions wrote it. */
const BARE = /^[0-9a-f]{64}$/;

export function sumText({ sha256, identity }: Sum): string {
  const fields = identity === sha256 ? sha256 : `${sha256} ${identity}`;
  return `${fields} ${checkOf(fields)}\n`;
}

/** Null when the text is damaged, which tells nothing of the artifact. */
export function readSum(text: string): Sum | null {
  if (BARE.test(text)) return { sha256: text, identity: text };
  const [, hash, identity, check] = LINE.exec(text) ?? [];
  if (hash === undefined || check !== checkOf(identity === undefined ? hash : `${hash} ${identity}`)) return null;
  return { sha256: hash, identity: identity ?? hash };
}

const checkOf = (fields: string): string => sha256(fields).slice(0, 8);
