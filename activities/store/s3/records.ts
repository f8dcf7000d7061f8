/** What is kept with an artifact's object, as its metadata: written with the content at once, so never without it. */
import { readSum, type Sum, sumText } from '../sums.js';
import type { Metadata } from './bucket.js';

export type Kind = 'file' | 'folder';

const KIND = 'longhaul-kind';
const SUM = 'longhaul-sum';

export function metadataOf(kind: Kind, sum: Sum): Metadata {
  return { [KIND]: kind, [SUM]: sumText(sum).trimEnd() };
}

/** Null where it is damaged, or the object was not put by a store. */
export function recordOf(metadata: Metadata): { kind: Kind; sum: Sum } | null {
  const sum = readSum(`${metadata[SUM]}\n`);
  return sum && { kind: metadata[KIND] === 'folder' ? 'folder' : 'file', sum };
}
