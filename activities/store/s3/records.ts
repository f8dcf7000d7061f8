/** An artifact's object: its key, and what is kept with it as its metadata: written with the content at once, so never without it. */
import { sha256 } from '../canonical.js';
import { storeSegments } from '../layout.js';
import { readSum, type Sum, sumText } from '../sums.js';
import type { Metadata, StoredObject } from './bucket.js';
import { type Manifest, readManifest } from './parts.js';

export const ARTIFACTS = 'artifacts/';
export const SUMS = 'sums/';

export const artifactKey = (uri: string): string => ARTIFACTS + storeSegments(uri).join('/');
export const sumKey = (uri: string): string => SUMS + storeSegments(uri).join('/');

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

/** An artifact's object as it was found. */
export interface Found {
  object: StoredObject;
  kind: Kind;
  /** What it was published with; null if that is not known. */
  sum: Sum | null;
  /** Hash of what lies there. */
  sha256: string;
  manifest: Manifest | null;
}

export function examined(object: StoredObject): Found {
  const record = recordOf(object.metadata);
  const [kind, sum] = [record?.kind ?? 'file', record?.sum ?? null];
  const own = sha256(object.body);
  if (kind === 'file') return { object, kind, sum, sha256: own, manifest: null };
  const manifest = readManifest(object.body.toString('utf8'), sum!.sha256);
  return { object, kind, sum, sha256: manifest ? sum!.sha256 : own, manifest };
}
