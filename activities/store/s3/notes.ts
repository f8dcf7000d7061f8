/**
 * What is begun in a bucket and not done: noted before, and the note removed after, so that what a killed writer leaves is
 * known. Another may take it over, to go on with it or to remove it. A note is taken over by the creation of its next
 * generation, so by one alone:
 *
 *   unfinished/<work>       by whom the work was begun, its name tells
 *   unfinished/<work>.<n>   who took it over
 */
import { ABANDONED_MS, letGo, workIn, workName, writerLives } from '../unfinished.js';
import type { S3Bucket } from './bucket.js';

const NOTES = 'unfinished/';

interface Content {
  /** Beginning of the keys of the files that are uploaded, or removed, without the "/" at its end; empty for none. */
  parts: string;
  /** The objects that are, or were, their manifest. */
  keys: string[];
  /** The work that took it over. */
  writer?: string;
}

export interface Note extends Content {
  work: string;
  generation: number;
  writer: string;
  /** By the server's clock. */
  noted: Date;
  /** Null for one of elsewhere, who cannot be asked. */
  writerLives: boolean | null;
}

export class Notes {
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async begin(partsOf: (work: string) => string, keys: string[]): Promise<Note> {
    const work = workName();
    const content = { parts: partsOf(work), keys };
    await this.#bucket.write(keyOf(work, 0), JSON.stringify(content satisfies Content));
    return { ...content, work, generation: 0, writer: work, noted: new Date(), writerLives: true };
  }

  /** Takes a work over from a writer that lives no more; null when another was quicker. */
  async takeOver(note: Note): Promise<Note | null> {
    const [generation, writer] = [note.generation + 1, workName()];
    const content: Content = { parts: note.parts, keys: note.keys, writer };
    const body = Buffer.from(JSON.stringify(content));
    const there = await this.#bucket.create(keyOf(note.work, generation), body, {});
    if (there && !there.body.equals(body)) return null;
    return { ...note, generation, writer, writerLives: true };
  }

  /** The first generation goes first: what is left of a note is never taken for an earlier one. */
  async end({ work, generation }: Note): Promise<void> {
    for (let k = 0; k <= generation; k++) await this.#bucket.delete(keyOf(work, k));
  }

  /** Leaves the work to whoever takes it over. */
  leave({ writer }: Note): void {
    letGo(writer);
  }

  /** All that is begun, each by its newest note. */
  async all(): Promise<Note[]> {
    const newest = new Map<string, { generation: number; noted: Date }>();
    for (const { key, modified } of await this.#bucket.below(NOTES)) {
      const found = workIn(key.slice(NOTES.length));
      if (!found) continue;
      const [work, generation] = [found.work, Number(found.more ?? 0)];
      if (!Number.isInteger(generation) || (newest.get(work)?.generation ?? -1) > generation) continue;
      newest.set(work, { generation, noted: modified });
    }
    const notes: Note[] = [];
    for (const [work, { generation, noted }] of newest) {
      const object = await this.#bucket.get(keyOf(work, generation));
      if (!object) continue; // done meanwhile
      const { parts, keys, writer = work } = JSON.parse(object.body.toString('utf8')) as Content;
      notes.push({ work, generation, parts, keys, writer, noted, writerLives: writerLives(writer) });
    }
    return notes;
  }

  /**
   * Those that nobody goes on with.
   * @param kept for so many milliseconds what is left is kept for a successor
   */
  async abandoned(kept: number): Promise<Note[]> {
    if (await this.#bucket.isEmpty(NOTES)) return [];
    const now = await this.#serverTime();
    return (await this.all()).filter(({ noted, writerLives }) => {
      const age = now - noted.getTime();
      return writerLives === null ? age >= ABANDONED_MS : !writerLives && age >= kept;
    });
  }

  /** Not this machine's, which may be set or may stand still. */
  async #serverTime(): Promise<number> {
    const { work, ...probe } = await this.begin(() => '', []);
    const found = (await this.#bucket.below(keyOf(work, 0)))[0];
    await this.end({ ...probe, work });
    return found?.modified.getTime() ?? 0;
  }
}

const keyOf = (work: string, generation: number): string =>
  `${NOTES}${work}${generation === 0 ? '' : `.${generation}`}`;
