/**
 * One tracker brought up to the store. Where it is said at the tracker alone: it is asked how many points of a track it has,
 * and given those that follow. So whatever ends in the middle, and however often this is begun, a point is written once.
 */
import type { Point } from './points.js';
import type { RunReader } from './run-reader.js';
import { MovedOnError, type Tracker, type TrackHead } from './tracker.js';
import type { Track } from './tracks.js';

export interface CaughtUp {
  /** Points that were written now, and those that are at the tracker. */
  written: number;
  present: number;
  /** Points that the store has and the tracker has not: those that are being made again, and what follows them. */
  behind: number;
  /** Whether the run is over and all of it is there. */
  isWhole: boolean;
  /** What keeps the rest back; null where nothing does. */
  waitsFor: string | null;
}

export class CatchUp {
  readonly #heads = new Map<string, TrackHead>();
  /** Points that the tracker has, by track; asked for anew after every failure. */
  readonly #present = new Map<string, number>();
  readonly #ended = new Set<string>();

  constructor(
    private readonly reader: RunReader,
    readonly tracker: Tracker,
  ) {}

  /**
   * Writes what is missing. Throws what the tracker or the store throws; may be called again after that.
   * @param wrote told of each batch
   */
  async pass(signal: AbortSignal, wrote: (points: number) => void = () => {}): Promise<CaughtUp> {
    try {
      return await this.#pass(signal, wrote);
    } catch (error) {
      this.#present.clear();
      throw error;
    }
  }

  async #pass(signal: AbortSignal, wrote: (points: number) => void): Promise<CaughtUp> {
    const read = await this.reader.tracks();
    const all = { written: 0, present: 0, behind: 0, isWhole: false, waitsFor: null as string | null };
    if (!read) return all;
    const { tracks, isWhole, lacks } = read;
    for (const [k, track] of tracks.entries()) {
      const head = await this.#head(track);
      if (!head) return { ...all, waitsFor: "the run's spec" };
      const written = await this.#write(head, track, signal, wrote);
      const present = this.#present.get(track.name)!;
      all.written += written;
      all.present += present;
      all.behind += Math.max(0, track.marks.length - present);
      const isComplete = present >= track.marks.length && (isWhole || k < tracks.length - 1);
      if (isComplete) await this.#end(head, track, signal);
    }
    return { ...all, isWhole: isWhole && all.behind === 0, waitsFor: lacks };
  }

  /** The points of a track that follow those that are there. */
  async #write(
    head: TrackHead,
    { name, marks }: Track,
    signal: AbortSignal,
    wrote: (points: number) => void,
  ): Promise<number> {
    let written = 0;
    for (;;) {
      const present = this.#present.get(name) ?? (await this.tracker.has(head, signal));
      this.#present.set(name, present);
      const points: Point[] = [];
      for (const mark of marks.slice(present, present + this.tracker.batch)) {
        const point = mark.kind === 'begin' ? head.first : await this.reader.point(mark);
        if (!point) break;
        points.push(point);
      }
      if (points.length === 0) return written;
      signal.throwIfAborted();
      try {
        await this.tracker.take(head, present, points, signal);
      } catch (error) {
        if (!(error instanceof MovedOnError)) throw error;
        this.#present.delete(name);
        continue;
      }
      this.#present.set(name, present + points.length);
      written += points.length;
      wrote(points.length);
    }
  }

  async #head({ name, marks }: Track): Promise<TrackHead | null> {
    const known = this.#heads.get(name);
    if (known) return known;
    const first = await this.reader.point(marks[0]!);
    if (!first) return null;
    const head = { run: this.reader.run, name, first };
    this.#heads.set(name, head);
    return head;
  }

  async #end(head: TrackHead, { name, marks }: Track, signal: AbortSignal): Promise<void> {
    if (this.#ended.has(name) || !this.tracker.end) return;
    const last = await this.reader.point(marks.at(-1)!);
    if (last) await this.tracker.end(head, last.time, signal);
    this.#ended.add(name);
  }
}
