/**
 * The store keeps a run's artifacts: files and folders that are published once and never change. It is the run's
 * database; workflows carry references to what lies here.
 */
import { sha256 } from './canonical.js';
import type { ObjectSettings } from './s3/object-settings.js';

/** Where an artifact lies and the SHA-256 of its content, which reading checks. */
export interface ArtifactRef {
  /** `store:runs/<run>/…`: relative to the store's root, so that a store can move. */
  uri: string;
  /** Of a file's bytes; of a folder, see `folderHash`. */
  sha256: string;
}

/** Who may publish: a stage's newest attempt that is claimed (see claims.ts), or one not claimed yet. */
export interface Fence {
  /** Uri of the stage's folder. */
  stage: string;
  attempt: number;
}

/** A file that was found by its name. */
export interface FoundText {
  ref: ArtifactRef;
  text: string;
}

/** Where files are read. */
export interface TextReader {
  /** The file's text. Where its hash is not the reference's it is set aside, and CorruptArtifactError names it. */
  readText(ref: ArtifactRef): Promise<string>;
}

export interface Store extends TextReader {
  /**
   * Makes a file visible under `uri`, whole or not at all.
   * Publishing equal content again succeeds; other content throws DivergenceError; a stale fence StaleAttemptError.
   * @param identity hash of the part of it that is a function of what it was made from, where not all of it is: content of
   *   equal identity counts as equal, and the first published stays
   */
  publishText(uri: string, text: string, fence?: Fence, identity?: string): Promise<ArtifactRef>;
  /**
   * As publishText, but for what may differ from one time to the next: the first published stays.
   * @returns the reference of what lies there
   */
  publishFirst(uri: string, text: string, fence?: Fence): Promise<ArtifactRef>;
  /**
   * Moves a local folder (made in `workFolder`) under `uri`, with publishText's promises.
   * @param known SHA-256 of its large files, by relative path, where whoever wrote them knows it
   */
  publishFolder(
    uri: string,
    folder: string,
    fence?: Fence,
    known?: Readonly<Record<string, string>>,
  ): Promise<ArtifactRef>;
  /**
   * The published file's reference, or null. What is no longer as it was published is set aside (see `setAside`) and
   * counts as not published: whoever makes it makes it again.
   */
  find(uri: string): Promise<ArtifactRef | null>;
  /** As `find`, with the file's text: over a network, half of what finding it and reading it then takes. */
  findText(uri: string): Promise<FoundText | null>;
  /** Whether a file or folder is published under `uri`. */
  has(uri: string): Promise<boolean>;
  /** When a file was published; null if none is. Who copies a store may change it, so nothing is decided by it. */
  publishedAt(uri: string): Promise<Date | null>;
  /** Names directly under `uri`, sorted; none if nothing is there. */
  list(uri: string): Promise<string[]>;
  /** The hash that a file or folder was published with; null if that is not known. */
  recorded(uri: string): Promise<string | null>;
  /**
   * Moves a damaged file or folder to a name beside its own, for inspection, and gives that uri. What is published in its
   * place must be what was published before.
   */
  setAside(uri: string): Promise<string>;
  /**
   * Takes a file or folder out of the store, at once and as if it had never been published; nothing happens where nothing
   * is. Only for what can be made again: who reads it meanwhile finds it gone. A stale fence throws StaleAttemptError.
   */
  remove(uri: string, fence?: Fence): Promise<void>;
  /**
   * A published folder as a folder on this machine, which is only read. It stays at least until this process has asked for
   * four others.
   * @param wanted tells, by relative path, which of its files are needed; where files are fetched, others may be missing
   */
  localFolder(uri: string, wanted?: (file: string) => boolean): Promise<string>;
  /** Bytes of each file of a published folder, by relative path. */
  fileSizes(uri: string): Promise<Record<string, number>>;
  /** A fresh empty folder for `use`, on the store's file system; removed afterwards with whatever is left in it. */
  workFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
}

/** A store as whoever runs a process on it has it. */
export interface OpenedStore extends Store {
  /** As a person names it: a folder, or s3://bucket/prefix. */
  readonly root: string;
  /**
   * Makes the store if there is none. Throws StoreFormatError when a later version made it.
   * @param objects how a bucket keeps its objects from now on; a folder has none
   */
  create(objects?: ObjectSettings): Promise<void>;
  /** For whoever takes the store to be there. Throws StoreMissingError when it is not; StoreFormatError. */
  open(): Promise<void>;
  /**
   * Removes what writers that were killed left behind.
   * @param kept in a bucket, what others can go on with is kept for so many milliseconds; a day unless told
   */
  sweep(kept?: number): Promise<void>;
  /** Where an artifact lies, as a person finds it. */
  placeOf(uri: string): string;
}

/** Two computations of one artifact gave different content: determinism is broken, or two runs share a name. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
  constructor(
    readonly uri: string,
    readonly published: string,
    readonly offered: string,
    kept: string | null,
    advice = 'Equal inputs must give equal bits: compare the two, and use another run name if the runs were meant to differ.',
  ) {
    super(
      `${uri} is already published with other content: published sha256 ${published}, offered sha256 ${offered}` +
        `${kept ? ` (kept beside it as ${kept})` : ''}. ${advice}`,
    );
  }
}

/** A given-up attempt tried to publish. */
export class StaleAttemptError extends Error {
  override readonly name = 'StaleAttemptError';
  constructor(stage: string, attempt: number, current: number) {
    super(`Attempt ${attempt} may no longer write in ${stage}: attempt ${current} is the current one.`);
  }
}

/** What lies in the store is not what was published, or no longer lies there. */
export class CorruptArtifactError extends Error {
  override readonly name = 'CorruptArtifactError';
  /**
   * @param uri the artifact that must be made again
   * @param found hash of what lies there; null if that was set aside before
   * @param where the file, of a folder; where it was set aside
   */
  constructor(
    readonly uri: string,
    expected: string,
    found: string | null,
    { file = null, aside = null }: { file?: string | null; aside?: string | null } = {},
  ) {
    super(
      `${file ? `${uri}/${file}` : uri} is damaged: expected sha256 ${expected}, found ${found ?? 'nothing'}` +
        `${aside ? ` (set aside as ${aside})` : ''}. It is made again from the log where that is whole; else restore it ` +
        'from a copy.',
    );
  }
}

/** The store as a whole is not where it was: tried again until it is back. */
export class StoreAwayError extends Error {
  override readonly name = 'StoreAwayError';
  /** As of a file system's error, for whoever tells those that pass from others. */
  readonly code = 'ESTOREAWAY';
  /** @param why what was heard from it, of a store that is not a folder */
  constructor(root: string, why?: string) {
    super(
      why === undefined
        ? `the store is no longer at ${root}: nothing is written there until it is back (is it still mounted?)`
        : `the store ${root} cannot be reached: ${why}`,
    );
  }
}

/** There is no store where one is expected. */
export class StoreMissingError extends Error {
  override readonly name = 'StoreMissingError';
  constructor(root: string) {
    super(
      `There is no store at ${root}. Is it mounted, and is that the place (--store, LONGHAUL_STORE)? ` +
        `To begin a new one there: longhaul store create --store ${root}`,
    );
  }
}

/** The store was laid out by a later version. */
export class StoreFormatError extends Error {
  override readonly name = 'StoreFormatError';
  constructor(root: string, found: unknown, known: number) {
    super(
      `The store ${root} has the format ${JSON.stringify(found)}; this version of longhaul knows formats up to ${known}. ` +
        'Use the version that made it, or a later one.',
    );
  }
}

/** A reference to something the store does not have. */
export class MissingArtifactError extends Error {
  override readonly name = 'MissingArtifactError';
  /** @param why what it was wanted for, or where it was looked for */
  constructor(
    readonly uri: string,
    why: string,
  ) {
    super(`${uri} is not in the store (${why}). Is this the store the run was started with (--store, LONGHAUL_STORE)?`);
  }
}

/**
 * Why something is not in the store: it was damaged and set aside, which somebody makes good, or was never there.
 * @param why what it was wanted for
 */
export async function absence(store: Store, uri: string, why: string): Promise<Error> {
  const recorded = await store.recorded(uri);
  return recorded ? new CorruptArtifactError(uri, recorded, null) : new MissingArtifactError(uri, why);
}

/** Publishes a value as JSON, indented for people. */
export function publishJson(
  store: Store,
  uri: string,
  value: unknown,
  fence?: Fence,
  identity?: string,
): Promise<ArtifactRef> {
  return store.publishText(uri, jsonText(value), fence, identity);
}

/** Publishes values as JSON lines. */
export function publishLines(
  store: Store,
  uri: string,
  values: readonly unknown[],
  fence?: Fence,
  identity?: string,
): Promise<ArtifactRef> {
  return store.publishText(uri, linesText(values), fence, identity);
}

/** As publishJson has it. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

export function linesText(values: readonly unknown[]): string {
  return values.map(value => `${JSON.stringify(value)}\n`).join('');
}

/** The reference that a text has where it is published. */
export function refOf(uri: string, text: string): ArtifactRef {
  return { uri, sha256: sha256(text) };
}

export async function readJson<T>(store: TextReader, ref: ArtifactRef): Promise<T> {
  return JSON.parse(await store.readText(ref)) as T;
}

/** What a published file holds, found by its name; null where none is. */
export async function findJson<T>(
  store: Pick<Store, 'findText'>,
  uri: string,
): Promise<{ ref: ArtifactRef; value: T } | null> {
  const found = await store.findText(uri);
  return found && { ref: found.ref, value: JSON.parse(found.text) as T };
}

export async function readLines<T>(store: TextReader, ref: ArtifactRef): Promise<T[]> {
  const text = await store.readText(ref);
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T);
}
