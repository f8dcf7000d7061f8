/** A folder of one worker alone, which its successor takes over: the first below the machine's that no living process has. */
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../activities/store/index.js';

const OWNER_FILE = 'owner.json';

/** @param parent of this machine, created on first use */
export async function ownFolder(parent: string): Promise<string> {
  for (let k = 1; ; k++) {
    const folder = join(parent, String(k));
    await mkdir(folder, { recursive: true });
    if (await take(join(folder, OWNER_FILE))) return folder;
  }
}

/** Whether the file, which says whose the folder is, now says that it is this process's. */
async function take(file: string): Promise<boolean> {
  const mine = identify(process.pid)!;
  const draft = `${file}.${mine.pid}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    while (!(await linked(draft, file))) {
      if (await isTaken(file)) return false;
      const aside = `${file}.gone.${mine.pid}`;
      await rename(file, aside).catch(() => {}); // Another was faster: it is looked at again.
      // What was taken away may have become a living one's meanwhile.
      const mistaken = await isTaken(aside);
      if (mistaken) await linked(aside, file);
      await rm(aside, { force: true });
      if (mistaken) return false;
    }
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** In one go with its content; false where there is one. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isTaken(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    return isAlive(JSON.parse(text) as ProcessIdentity);
  } catch {
    return false;
  }
}
