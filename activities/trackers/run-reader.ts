/** A run as its trackers read it: what was read for one of them is given to the others, so that more of them cost no more. */
import type { Store } from '../store/index.js';
import { type Point, readPoint } from './points.js';
import { type Mark, RunTracks, type Tracks } from './tracks.js';

/** Points that are kept: trackers that keep up ask for the same ones within moments. */
const POINTS = 64;

export class RunReader {
  #log: RunTracks | null = null;
  #looked: { at: number; tracks: Promise<Tracks | null> } | null = null;
  readonly #points = new Map<string, Promise<Point | null>>();

  /** @param freshMs a look at the store answers for so long */
  constructor(
    private readonly store: Store,
    readonly run: string,
    private readonly freshMs = 0,
  ) {}

  /** Null of a run that has no plan in the store yet. */
  tracks(): Promise<Tracks | null> {
    const now = performance.now();
    if (this.#looked && now - this.#looked.at < this.freshMs) return this.#looked.tracks;
    const tracks = this.#read();
    this.#looked = { at: now, tracks };
    tracks.catch(() => {
      this.#looked = null;
    });
    return tracks;
  }

  async #read(): Promise<Tracks | null> {
    this.#log ??= await RunTracks.of(this.store, this.run);
    return (await this.#log?.read()) ?? null;
  }

  /** Of a mark that `tracks` gave; null of what is not in the store yet. */
  point(mark: Mark): Promise<Point | null> {
    const key = JSON.stringify(mark);
    const known = this.#points.get(key);
    if (known) return known;
    const reading = readPoint(this.store, this.#log!.facts, mark);
    this.#points.set(key, reading);
    const [oldest] = this.#points.keys();
    if (this.#points.size > POINTS) this.#points.delete(oldest!);
    const forget = () => void this.#points.delete(key);
    // What is not there may be in a moment.
    reading.then(point => point ?? forget(), forget);
    return reading;
  }
}
