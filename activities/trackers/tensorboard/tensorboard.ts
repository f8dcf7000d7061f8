/**
 * TensorBoard's event files: a folder a track, in it one file that only grows. Steps rise within a track, since TensorBoard
 * takes an older step for a restart and forgets what came after it; a file is never replaced, since it would not be read again.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendedFile } from '../appended-file.js';
import type { Point } from '../points.js';
import { OtherRunError, type Tracker, type TrackHead } from '../tracker.js';
import { decodedEvent, type EventMessage, pointEvent, versionEvent } from './events.js';
import { recordBytes, scanRecords } from './records.js';

const ENDING = '.longhaul';
const BATCH = 50;

/** @param folder what `tensorboard --logdir` is given */
export function tensorboard(folder: string): Tracker {
  const files = new Map<string, AppendedFile<Buffer>>();
  const fileOf = async ({ name, first }: TrackHead): Promise<AppendedFile<Buffer>> => {
    const known = files.get(name);
    if (known) return known;
    const own = join(folder, name);
    const [present] = (await readdir(own).catch(() => [])).filter(file => file.endsWith(ENDING)).sort();
    const begun = String(Math.floor(first.time.getTime() / 1000)).padStart(10, '0');
    const file = new AppendedFile(join(own, present ?? `events.out.tfevents.${begun}${ENDING}`), scanRecords);
    files.set(name, file);
    return file;
  };
  return {
    name: 'tensorboard',
    place: folder,
    batch: BATCH,
    async has(track) {
      files.delete(track.name);
      const file = await fileOf(track);
      // The first record says which format the file has.
      const [, first, ...others] = await file.read();
      if (!first) return 0;
      if (!isSame(decodedEvent(first), track.first)) throw new OtherRunError(file.path, track.name);
      return 1 + others.length;
    },
    async take(track, from, points) {
      const file = await fileOf(track);
      const records = points.map(point => recordBytes(pointEvent(point)));
      // A file of its first record alone has no points.
      if (from === 0 && (await file.read()).length === 0) records.unshift(recordBytes(versionEvent(track.first.time)));
      await file.append(Buffer.concat(records));
    },
  };
}

/** All but when the store got it, which may change as a store is copied. */
function isSame(found: EventMessage, first: Point): boolean {
  const texts = (event: EventMessage) =>
    event.summary?.value.map(({ tag, tensor }) => `${tag} ${tensor.string_val?.map(text => Buffer.from(text))}`);
  return JSON.stringify(texts(found)) === JSON.stringify(texts(decodedEvent(pointEvent(first))));
}
