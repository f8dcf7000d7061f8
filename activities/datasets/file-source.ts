/** From the files of a source to its samples: ranges, malformed records, and the account of what was read. */
import { stat } from 'node:fs/promises';
import { fileHash } from '../store/index.js';
import { readRecords } from './containers.js';
import type { DataFile } from './data-files.js';
import { FieldAccount } from './field-account.js';
import type { FileOptions, Format } from './format.js';
import type { HubDataOptions } from './hub-data.js';
import { locate } from './locate.js';
import { DataError, type RawRecord, RecordError } from './records.js';
import type { Sample } from './sample.js';
import { SKIPPED_SHOWN, type SourceSummary } from './summary.js';

/** A record's samples come all or, where it is malformed, none. Fills in the summary as it goes. */
export async function* readFiles<Options extends FileOptions>(
  format: Format<Options>,
  options: Options,
  context: HubDataOptions,
  summary: SourceSummary,
): AsyncGenerator<{ sample: Sample; where: string }> {
  const { source, files } = await locate(options.path, context);
  summary.source = source;
  const read = new ReadFiles(summary);
  const records = format.records
    ? format.records(files, options, file => read.open(file))
    : recordsOf(files, format.fields, read);
  const { fields, texts } = format;
  const account = texts ? new FieldAccount(fields, texts) : null;
  let index = 0;
  for await (const record of records) {
    context.signal?.throwIfAborted();
    const place = index++;
    if (options.to !== undefined && place >= options.to) return;
    if (place < options.from) continue;
    try {
      const samples = format.samples({ ...record, index: place }, options);
      if (samples === null) summary.leftOut++;
      else {
        const made = [...samples];
        account?.add(record.value as object);
        Object.assign(summary, account?.counts());
        for (const sample of made) yield { sample, where: record.where };
      }
    } catch (error) {
      if (!(error instanceof RecordError) || options.onMalformed === 'stop') throw error;
      skip(summary, error);
    }
  }
  await read.unchanged();
}

export function skip(summary: SourceSummary, { where, problem }: RecordError): void {
  summary.skippedCount++;
  if (summary.skipped.length < SKIPPED_SHOWN) summary.skipped.push({ where, problem });
}

async function* recordsOf(files: DataFile[], fields: readonly string[], read: ReadFiles): AsyncGenerator<RawRecord> {
  for (const file of files) await read.open(file);
  for (const file of files) yield* readRecords(file, fields);
}

/** The files of a source, with their hashes. */
class ReadFiles {
  private readonly opened = new Map<string, { name: string; changed: number }>();
  constructor(private readonly summary: SourceSummary) {}

  async open({ path, name }: DataFile): Promise<void> {
    if (this.opened.has(path)) return;
    const { size, mtimeMs } = await stat(path);
    this.opened.set(path, { name, changed: mtimeMs });
    this.summary.files.push({ path: name, sha256: await fileHash(path), bytes: size });
  }

  /** Throws where a file is another one than was hashed. */
  async unchanged(): Promise<void> {
    for (const [path, { name, changed }] of this.opened) {
      const { mtimeMs } = await stat(path);
      if (mtimeMs !== changed) throw new DataError(`${name}: expected the file to stay as it is while it is read`);
    }
  }
}
