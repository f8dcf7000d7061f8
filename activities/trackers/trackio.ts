/**
 * trackio, over its HTTP interface. A point has a `log_id` of its own, of which the server keeps the first; it is unique in
 * the whole project, so it begins with the run. The server may say that it took points and keep them in memory alone, so
 * they are counted afterwards.
 */

import type { Environment } from '../remote/index.js';
import { hashOf } from '../store/index.js';
import type { Point } from './points.js';
import { server } from './server.js';
import { type Tracker, TrackerAwayError, type TrackHead } from './tracker.js';

const BATCH = 100;

/** As trackio's own client has it. */
export const TRACKIO_VARIABLE = 'TRACKIO_WRITE_TOKEN';

export function trackio({ url, project }: { url: string; project: string }, environment: Environment): Tracker {
  const token = environment[TRACKIO_VARIABLE]?.trim() ?? '';
  const headers: Record<string, string> = token === '' ? {} : { 'X-Trackio-Write-Token': token };
  const ask = server({ name: 'trackio', url, environment, headers, secrets: [token] });
  const call = <T>(name: string, kwargs: object, signal: AbortSignal) =>
    ask<{ data: T }>(`/api/${name}`, { kwargs }, signal).then(({ data }) => data);

  const has = async (track: TrackHead, signal: AbortSignal): Promise<number> => {
    const summary = { project, run: track.name, run_id: idOf(track) };
    return (await call<{ num_logs: number }>('get_run_summary', summary, signal)).num_logs;
  };
  return {
    name: 'trackio',
    place: url,
    batch: BATCH,
    has,
    async take(track, from, points, signal) {
      const logs = points.map((point, k) => ({
        project,
        run: track.name,
        run_id: idOf(track),
        step: point.at,
        log_id: `${idOf(track)}/${from + k}`,
        metrics: valuesOf(point),
        ...(point.settings && { config: point.settings }),
      }));
      await call('bulk_log', { logs, hf_token: null }, signal);
      const now = await has(track, signal);
      if (now < from + points.length)
        throw new TrackerAwayError(`trackio at ${url} took points and has ${now} of ${from + points.length}`);
    },
  };
}

/** A run of another spec has another, so it is another run there, whatever its name. */
const idOf = ({ name, first }: TrackHead) => `${name}-${hashOf(first.settings).slice(0, 16)}`;

function valuesOf({ metrics, texts }: Point): Record<string, unknown> {
  const markdown = Object.entries(texts).map(([name, text]) => [name, { _type: 'trackio.markdown', _value: text }]);
  return { ...metrics, ...Object.fromEntries(markdown) };
}
