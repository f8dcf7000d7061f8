/** Two runs of one spec, file by file: whatever a run publishes but the clock's part of it must be the same bytes. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow } from '../../activities/store/hash.js';

export interface RunFolder {
  store: string;
  run: string;
}

export interface Comparison {
  files: number;
  /** Paths relative to the run's folder. */
  missing: string[];
  extra: string[];
  different: string[];
  /** What the run set aside as damaged, or kept as divergent. */
  aside: string[];
}

/** The result bears the stages' seconds. */
const TIMED = new Set(['result.json']);
/** What is asked again after a fault may be found answered. */
const ASKED = /,?\s*"judge":\s*\{\s*"asked[^}]*\}/g;
const ASIDE = /\.(damaged|diverged)(-[0-9a-f]+)?(\/|$)/;

/** @param mine the disturbed run */
export async function compareRuns(other: RunFolder, mine: RunFolder): Promise<Comparison> {
  const [expected, found] = (await Promise.all([other, mine].map(hashes))) as [Hashes, Hashes];
  return {
    files: expected.files.size,
    missing: [...expected.files.keys()].filter(path => !found.files.has(path)),
    extra: [...found.files.keys()].filter(path => !expected.files.has(path)),
    different: [...expected.files].flatMap(([path, hash]) => {
      const own = found.files.get(path);
      return own !== undefined && own !== hash ? [path] : [];
    }),
    aside: found.aside,
  };
}

interface Hashes {
  files: Map<string, string>;
  aside: string[];
}

async function hashes({ store, run }: RunFolder): Promise<Hashes> {
  const folder = join(store, 'runs', run);
  const files = new Map<string, string>();
  const aside: string[] = [];
  for (const path of await filesBelow(folder)) {
    if (/(^|\/)\./.test(path)) continue;
    if (ASIDE.test(path)) aside.push(path);
    else files.set(path, await contentHash(join(folder, path), run, path));
  }
  return { files, aside };
}

/** Uris name the run, which is another's in each of the two. */
async function contentHash(file: string, run: string, path: string): Promise<string> {
  const { size } = await stat(file);
  const bytes = await readFile(file);
  const hash = createHash('sha256');
  if (!/\.jsonl?$/.test(path) || size > 2 ** 24) return hash.update(bytes).digest('hex');
  const text = bytes
    .toString('utf8')
    .replaceAll(`store:runs/${run}/`, 'store:runs/RUN/')
    .replaceAll(`"run": "${run}"`, '"run": "RUN"');
  const timeless = text.replace(ASKED, '');
  return hash
    .update(TIMED.has(path) ? timeless.replace(/"seconds": [\d.e-]+/g, '"seconds": 0') : timeless)
    .digest('hex');
}
