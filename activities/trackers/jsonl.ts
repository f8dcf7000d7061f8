/** A file of JSON lines: a point each, of all the run's tracks, for whatever reads lines. */
import { linesText } from '../store/index.js';
import { AppendedFile, type Scanned } from './appended-file.js';
import type { Point } from './points.js';
import { OtherRunError, StrangeFileError, type Tracker, type TrackHead } from './tracker.js';

/** A line. */
export interface PointLine {
  /** The run's name, or of a stage begun anew `RUN@STAGE.ATTEMPT`. */
  track: string;
  kind: Point['kind'];
  at: number;
  /** ISO 8601. */
  time: string;
  [more: string]: unknown;
}

const BATCH = 100;
const NEWLINE = 10;

/** @param pattern the file's path; `{run}` in it stands for the run's name */
export function jsonLines(pattern: string): Tracker {
  const files = new Map<string, AppendedFile<PointLine>>();
  const fileOf = (run: string) => {
    const path = pattern.replaceAll('{run}', run);
    const file = files.get(path) ?? new AppendedFile(path, scanLines(path));
    files.set(path, file);
    return file;
  };
  return {
    name: 'jsonl',
    place: pattern,
    batch: BATCH,
    async has(track) {
      const lines = await fileOf(track.run).read();
      const own = lines.filter(line => line.track === track.name);
      // The run's own track is begun before any other.
      const strange = lines[0] && lines[0].track !== track.run;
      if (strange || (own[0] && !isSame(own[0], track))) throw new OtherRunError(fileOf(track.run).path, track.name);
      return own.length;
    },
    async take(track, _, points) {
      await fileOf(track.run).append(Buffer.from(linesText(points.map(point => lineOf(track, point)))));
    },
  };
}

function lineOf(
  { name }: TrackHead,
  { kind, at, time, stage, step, label, metrics, texts, settings }: Point,
): PointLine {
  return {
    track: name,
    kind,
    at,
    time: time.toISOString(),
    ...(stage && { stage: stage.stage, attempt: stage.attempt, step }),
    ...(label && { label }),
    ...(settings ? { settings } : metrics),
    ...(Object.keys(texts).length > 0 && !settings && { texts }),
  };
}

const isSame = ({ time: _, ...found }: PointLine, track: TrackHead): boolean => {
  const { time: __, ...first } = lineOf(track, track.first);
  return JSON.stringify(found) === JSON.stringify(first);
};

/** What every line begins with, so that a torn one is told from somebody else's file. */
const BEGINNING = '{"track":';

/** Up to the last whole line. @throws StrangeFileError */
const scanLines =
  (path: string) =>
  (bytes: Buffer): Scanned<PointLine> => {
    const records: PointLine[] = [];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const line = bytes.toString('utf8', at, end);
      if (!line.startsWith(BEGINNING)) throw new StrangeFileError(path, records.length + 1);
      records.push(JSON.parse(line) as PointLine);
      at = end + 1;
    }
    const rest = bytes.subarray(at);
    const isTorn = BEGINNING.startsWith(rest.toString('utf8', 0, BEGINNING.length)) || rest.every(byte => byte === 0);
    if (!isTorn) throw new StrangeFileError(path, records.length + 1);
    return { records, length: at };
  };
