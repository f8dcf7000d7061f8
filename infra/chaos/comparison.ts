/**
 * Two runs of one spec, file by file: whatever a run publishes but the clock's part of it must be the same bytes. Which
 * snapshots there are within a stage is the clock's part too; what the run began with and its stages ended with is not.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CurriculumResult, PolicyRef } from '../../activities/contract/index.js';
import { filesBelow, runOf } from '../../activities/store/index.js';

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
  /** Snapshots within stages that only one of the two has: there is nothing to compare them with. */
  unmatched: number;
  /** What the run set aside as damaged, or kept as divergent. */
  aside: string[];
}

/** The result bears the stages' seconds. */
const TIMED = new Set(['result.json']);
/** What is asked again after a fault may be found answered. */
const ASKED = /,?\s*"judge":\s*\{\s*"asked[^}]*\}/g;
/** By which version and engine a step was made; the steps themselves are compared. */
const MADE_BY = /,\s*"code":\s*\{[^{}]*(\{[^{}]*\}[^{}]*)?\}/g;
const ASIDE = /\.(damaged|diverged)(-[0-9a-f]+)?(\/|$)/;

/** @param mine the disturbed run */
export async function compareRuns(other: RunFolder, mine: RunFolder): Promise<Comparison> {
  const [expected, found] = (await Promise.all([other, mine].map(hashes))) as [Hashes, Hashes];
  const lasting = new Set((await Promise.all([other, mine].map(lastingSnapshots))).flat());
  const [theirs, ours] = [snapshotsIn(expected), snapshotsIn(found)];
  const unmatched = new Set(
    [...theirs, ...ours].filter(name => !lasting.has(name) && !(theirs.has(name) && ours.has(name))),
  );
  const isComparable = (path: string) => !unmatched.has(snapshotAt(path) ?? '');
  const wanted = [...expected.files.keys()].filter(isComparable);
  const absent = [...lasting].filter(name => !theirs.has(name) && !ours.has(name));
  return {
    files: wanted.length,
    missing: [...wanted.filter(path => !found.files.has(path)), ...absent.map(name => `${SNAPSHOTS}/${name}`)],
    extra: [...found.files.keys()].filter(path => isComparable(path) && !expected.files.has(path)),
    different: [...expected.files].flatMap(([path, hash]) => {
      const own = found.files.get(path);
      return own !== undefined && own !== hash ? [path] : [];
    }),
    unmatched: unmatched.size,
    aside: found.aside,
  };
}

const SNAPSHOTS = 'checkpoints';
const snapshotAt = (path: string): string | undefined => /^checkpoints\/([^/]+)\//.exec(path)?.[1];
const snapshotsIn = ({ files }: Hashes): Set<string> =>
  new Set([...files.keys()].flatMap(path => snapshotAt(path) ?? []));

/** Names of the run's own policies that it began with, and ended its stages with as far as it came. */
async function lastingSnapshots({ store, run }: RunFolder): Promise<string[]> {
  const read = async <T>(file: string): Promise<T | null> =>
    readFile(join(store, 'runs', run, file), 'utf8').then(
      text => JSON.parse(text) as T,
      () => null,
    );
  const base = await read<PolicyRef>('base.json');
  const result = await read<CurriculumResult>('result.json');
  const policies = [base, ...(result?.stages ?? []).map(({ policy }) => policy), result?.policy];
  // A branch began with another run's.
  return policies.flatMap(policy => (policy && runOf(policy.uri) === run ? policy.name : []));
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
  const timeless = text.replace(ASKED, '').replace(MADE_BY, '');
  return hash
    .update(TIMED.has(path) ? timeless.replace(/"seconds": [\d.e-]+/g, '"seconds": 0') : timeless)
    .digest('hex');
}
