/** Which kind of source a path holds, by reading its first records as each. */
import { locate } from './locate.js';
import { DataError, openSource, type Source, type SourceContext } from './sources.js';

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
 * @throws DataError where there is nothing, or nothing that any kind reads, with each kind's reason
 */
export async function detectKind(path: string, context: SourceContext): Promise<FileKind> {
  await locate(path, context);
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
  const said = [...reasons].map(([reason, types]) => `  as ${types.join(', ')}: ${reason}`);
  throw new DataError(`${path}: expected data of one of the kinds that are read:\n${said.join('\n')}`);
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
