/** What a tracker is to us: it says how many points of a track it has, and takes those that follow. */
import type { Point } from './points.js';

/** A track as a tracker knows it. */
export interface TrackHead {
  run: string;
  /** The run's own track has the run's name. */
  name: string;
  /** Its first point, by which a tracker tells whether what it has under that name is of this very run. */
  first: Point;
}

export interface Tracker {
  /** The field of the spec, and where it is: "tensorboard /logs". */
  readonly name: string;
  readonly place: string;
  /** Most points to take at once. */
  readonly batch: number;
  /**
   * How many of the track's points it has, from the first on. Whatever was left half-written is mended.
   * @throws OtherRunError; TrackerAwayError
   */
  has(track: TrackHead, signal: AbortSignal): Promise<number>;
  /**
   * Takes the points that follow the first `from`. May be repeated, also by two at once: a point is kept once.
   * @throws TrackerAwayError when it is not known whether it did
   */
  take(track: TrackHead, from: number, points: readonly Point[], signal: AbortSignal): Promise<void>;
  /** Told that a track has all its points, where that matters to the tracker. May be repeated. */
  end?(track: TrackHead, time: Date, signal: AbortSignal): Promise<void>;
}

/** It did not answer, or not as it should: tried again, and nothing waits for it. */
export class TrackerAwayError extends Error {
  override readonly name = 'TrackerAwayError';
}

/** Under the run's name it has points of another run. */
export class OtherRunError extends Error {
  override readonly name = 'OtherRunError';
  constructor(place: string, name: string) {
    super(
      `${place} has points of another run named "${name}", with other settings: nothing is added to them. Give this run ` +
        'another place, or move what is there.',
    );
  }
}

/** The file that it is to write to is somebody else's. */
export class StrangeFileError extends Error {
  override readonly name = 'StrangeFileError';
  constructor(path: string, line: number) {
    super(
      `${path}:${line} is no line of metrics: expected a new file, or one that was written before. Nothing is changed.`,
    );
  }
}

/** Somebody else wrote to it meanwhile: how much it has is to be asked again. */
export class MovedOnError extends Error {
  override readonly name = 'MovedOnError';
}
