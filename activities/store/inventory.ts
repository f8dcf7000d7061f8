/** A store as a whole: all that it holds, for whoever copies it, checks it or asks how large it is. */
import type { OpenedStore } from './store.js';
import type { Sum } from './sums.js';

export interface Entry {
  uri: string;
  /** Null where what was published was set aside as damaged and has not been made again. */
  kind: 'file' | 'folder' | null;
  /** What it was published with; null if that is not known. */
  sum: Sum | null;
  /** Of its content; null where that cannot be told, as of a damaged manifest. */
  bytes: number | null;
}

/** What was begun and is not published, or not yet removed. */
export interface Leftover {
  /** Of what, in words. */
  what: string;
  bytes: number;
  /** Null where its writer is on another machine, which cannot be asked. */
  writerLives: boolean | null;
}

export interface Inventory {
  readonly store: OpenedStore;
  /** In the order of their names, as far as that is cheap. What is begun or removed meanwhile may be missing. */
  entries(): AsyncIterable<Entry>;
  /** What is wrong with it, in words; null if it is as it was published. Reads all of it, and changes nothing. */
  damageOf(entry: Entry): Promise<string | null>;
  leftovers(): Promise<Leftover[]>;
  /** A published file's text. Throws CorruptArtifactError, MissingArtifactError; sets nothing aside. */
  textOf(entry: Entry): Promise<string>;
  /** A published folder as one on this machine, checked, to be read only. Throws as textOf. */
  folderOf(entry: Entry): Promise<string>;
  /** Publishes a local folder, which stays as it is. Throws DivergenceError. */
  addFolder(uri: string, folder: string): Promise<void>;
  /** Notes what was published under a name where it no longer lies: only the same may take its place. */
  record(uri: string, sum: Sum): Promise<void>;
}
