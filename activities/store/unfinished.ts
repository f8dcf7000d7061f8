/**
 * What writers that were killed leave behind in a store's work folder, told from what living ones write: by the writer's
 * process, which the name of each piece of work says, and not by this machine's clock, which may be set or may stand still.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './canonical.js';
import { identify } from './process-identity.js';

/** Of another machine's work: its writer cannot be asked whether it lives. */
export const ABANDONED_MS = 7 * 24 * 60 * 60 * 1000;

const NAME = /^(?<place>[0-9a-f]{12})\.(?<pid>\d+)-(?<started>[0-9a-f]{12})\./;

/** The writer's place, its process, and what tells its works apart; more may follow. */
const WORK = /^([^.]+\.[^.]+\.[^.]+)(?:\.(.*))?$/;

const short = (text: string): string => sha256(text).slice(0, 12);

/**
 * Where process numbers mean the same process: a boot of a machine and, in a container, the container. Two machines or
 * containers may have one host name. Where the system does not say, no two processes are taken to be in one place.
 */
const PLACE = short(place());

function place(): string {
  if (process.platform !== 'linux') return hostname();
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return randomUUID();
  }
}

let writer: string | undefined;

/** What the names of all works of this process begin with. */
export function writerName(): string {
  writer ??= `${PLACE}.${process.pid}-${short(identify(process.pid)?.started ?? '')}`;
  return writer;
}

/** A name that no other work has, and that says who writes it. */
export const workName = (): string => `${writerName()}.${randomUUID()}`;

/** A name's work, and what follows it; null for a name that begins with none. */
export function workIn(name: string): { work: string; more: string | null } | null {
  const [, work, more = null] = WORK.exec(name) ?? [];
  return work === undefined ? null : { work, more };
}

/** Works of this process that are over, though it lives: what is left of them is anybody's. */
const over = new Set<string>();

export function letGo(work: string): void {
  over.add(work);
}

/**
 * Removes from the work folder what is left of writers that live no more.
 * @param kept for so many milliseconds it is kept for a successor
 */
export async function sweepUnfinished(folder: string, kept = 0): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return;
  const now = await fileSystemTime(folder);
  for (const name of names) {
    const path = join(folder, name);
    const lives = writerLives(name);
    const span = lives === null ? ABANDONED_MS : kept;
    if (lives || (span > 0 && (await isRecent(path, now, span)))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Whether the writer that a name of work says lives; null for work of elsewhere. */
export function writerLives(name: string): boolean | null {
  const { place, pid, started } = NAME.exec(name)?.groups ?? {};
  if (place !== PLACE) return null;
  if (over.has(workIn(name)?.work ?? '')) return false;
  const found = identify(Number(pid));
  return found !== null && short(found.started) === started;
}

async function isRecent(path: string, now: number, span: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && now - found.mtimeMs < span;
}

/** The time by which the file system dates what is written: a file server's, where it is on one. */
async function fileSystemTime(folder: string): Promise<number> {
  const probe = join(folder, workName());
  await writeFile(probe, '');
  const { mtimeMs } = await stat(probe);
  await rm(probe, { force: true });
  return mtimeMs;
}
