/** Which kind of source a path holds, by reading its first records as each. */
import { readRecords } from './containers.js';
import type { DataFile } from './data-files.js';
import { locate } from './locate.js';
import { DataError, fieldsOf, openSource, type Source, type SourceContext } from './sources.js';

/** Of kinds that all read a file the first counts: those that ask most of a record stand first. */
export const FILE_KINDS = [
  'jsonl',
  'docqa-rl',
  'docmath',
  'frames',
  'musique',
  'qasper',
  'narrativeqa',
  'longbench',
  'hotpotqa',
  '2wikimultihopqa',
] as const satisfies readonly Source['type'][];
export type FileKind = (typeof FILE_KINDS)[number];

/** Records that are read as each kind, of which one at least must be the kind's. */
const LOOKED_AT = 5;

const LONGEST_REASON = 300;

/**
 * 2WikiMultihopQA took over HotpotQA's layout, so its name alone tells it.
 * @throws DataError where there is nothing, or nothing that any kind reads, with the reason of the kind that the fields are most like, else of each
 */
export async function detectKind(path: string, context: SourceContext): Promise<FileKind> {
  const { files } = await locate(path, context);
  const reasons = new Map<string, FileKind[]>();
  const kinds: FileKind[] = /2wiki/i.test(path) ? ['2wikimultihopqa', ...FILE_KINDS] : [...FILE_KINDS];
  let leftOut: FileKind | undefined;
  for (const type of kinds) {
    const read = await readAs(type, path, context);
    if (read === 'read') return type;
    if (read === 'left out') leftOut ??= type;
    else reasons.set(read, [...(reasons.get(read) ?? []), type]);
  }
  if (leftOut) return leftOut;
  const like = await kindByFields(files[0]!);
  if (like) {
    const reason = [...reasons].find(([, types]) => types.includes(like))![0];
    throw new DataError(`${path}: cannot be read as ${like}, which its fields are most like:\n  ${reason}`);
  }
  const said = [...reasons].map(([reason, types]) => `  as ${types.join(', ')}: ${reason}`);
  throw new DataError(`${path}: expected data of one of the kinds that are read:\n${said.join('\n')}`);
}

/** The kind that knows most fields of the first record; of equals the first. Null where there is no record with any. */
async function kindByFields(file: DataFile): Promise<FileKind | null> {
  try {
    for await (const { value } of readRecords(file, [])) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
      const known = (kind: FileKind): number => fieldsOf(kind).filter(field => field in value).length;
      return [...FILE_KINDS].sort((a, b) => known(b) - known(a))[0]!;
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
  }
  return null;
}

/** Whether the first records are that kind's, or why not. */
async function readAs(type: FileKind, path: string, context: SourceContext): Promise<string> {
  const opened = openSource({ type, path, from: 0, to: LOOKED_AT, onMalformed: 'skip' } as Source, context);
  try {
    for await (const _ of opened.samples) return 'read';
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return error.message.slice(0, LONGEST_REASON);
  }
  const { leftOut, skipped } = opened.summary();
  if (leftOut > 0) return 'left out';
  return skipped[0] ? `${skipped[0].where}: ${skipped[0].problem}`.slice(0, LONGEST_REASON) : 'there are no records';
}
