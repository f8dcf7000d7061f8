/** `longhaul store du`: what takes how much room. */
import { Command } from 'commander';
import { type Entry, isAside, type Leftover, openInventory } from '../../../activities/store/index.js';
import { columns } from '../../view/columns.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from '../options.js';
import { bytesText } from './bytes.js';

interface Row {
  name: string;
  artifacts: number;
  /** Bytes of folders, which snapshots are; and of files. */
  folders: number;
  files: number;
}

const TOTAL = 'all of it';
const WRITERS = new Map([
  [true, 'under way'],
  [false, 'left by a writer that has ended'],
  [null, 'of another machine: under way or left'],
]);

export function duCommand(): Command {
  return withStateFlag(withStoreFlag(new Command('du')))
    .description('how much room each run takes, and what writers left unfinished')
    .action(async (flags: StoreFlags & StateFlags) => {
      const inventory = await openInventory(storeOf(flags));
      await inventory.store.open();
      const rows = new Map<string, Row>();
      for await (const entry of inventory.entries()) count(rows, entry);
      process.stdout.write(`${[...table(rows), ...leftoverLines(await inventory.leftovers())].join('\n')}\n`);
    });
}

function count(rows: Map<string, Row>, { uri, kind, bytes }: Entry): void {
  const [, first = '', second = ''] = /^store:([^/]+)(?:\/([^/]+))?/.exec(uri) ?? [];
  const own = first === 'replies' ? first : `${first}/${second}`;
  for (const name of [own, ...(isAside(uri) ? ['of these set aside as damaged'] : []), TOTAL]) {
    const row = rows.get(name) ?? { name, artifacts: 0, folders: 0, files: 0 };
    rows.set(name, row);
    if (kind === null) continue;
    row.artifacts++;
    row[kind === 'folder' ? 'folders' : 'files'] += bytes ?? 0;
  }
}

function table(rows: Map<string, Row>): string[] {
  const byBytes = (a: Row, b: Row) => Number(a.name === TOTAL) - Number(b.name === TOTAL) || sizeOf(b) - sizeOf(a);
  const cells = [...rows.values()]
    .sort(byBytes)
    .map(row => [
      row.name,
      String(row.artifacts),
      bytesText(row.folders),
      bytesText(row.files),
      bytesText(sizeOf(row)),
    ]);
  if (cells.length === 0) return ['nothing is published'];
  const lines = [['', 'artifacts', 'snapshots', 'log and rest', 'total'], ...cells];
  return columns(lines, column => (column === 0 ? 'left' : 'right'));
}

const sizeOf = ({ folders, files }: Row): number => folders + files;

function leftoverLines(leftovers: readonly Leftover[]): string[] {
  if (leftovers.length === 0) return [];
  return [
    '',
    'not finished (swept by the next worker that starts, in a bucket after a day for a successor; or now: longhaul store sweep)',
    ...leftovers.map(({ what, bytes, writerLives }) => `  ${bytesText(bytes)}  ${what}: ${WRITERS.get(writerLives)}`),
  ];
}
