/**
 * A file that grows by whole records. A torn record at its end, of a writer that was killed, is cut off; records are
 * written at their own place and are the same whoever writes them, so two writers at once write the same bytes twice.
 */
import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MovedOnError } from './tracker.js';

/** The whole records of a file, and how many bytes they take from its beginning. */
export interface Scanned<R> {
  records: R[];
  length: number;
}

export class AppendedFile<R> {
  #length: number | null = null;

  constructor(
    readonly path: string,
    readonly scan: (bytes: Buffer) => Scanned<R>,
  ) {}

  /** The records that are there; none where no file is. */
  async read(): Promise<R[]> {
    const bytes = await readFile(this.path).catch(unlessMissing);
    const { records, length } = this.scan(bytes);
    if (length < bytes.length) await truncate(this.path, length);
    this.#length = length;
    return records;
  }

  /** Writes records behind those that were read, and has the disk keep them. @throws MovedOnError */
  async append(records: Buffer): Promise<void> {
    if (this.#length === null) await this.read();
    const at = this.#length!;
    this.#length = null;
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, 'a').then(async created => {
      await created.close();
      return open(this.path, 'r+');
    });
    try {
      const { size } = await file.stat();
      if (size !== at) throw new MovedOnError(`${this.path}: expected ${at} bytes, found ${size}`);
      let written = 0;
      while (written < records.length) {
        const { bytesWritten } = await file.write(records, written, records.length - written, at + written);
        written += bytesWritten;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#length = at + records.length;
  }
}

function unlessMissing(error: unknown): Buffer {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}
