/**
 * MLflow, over its REST interface. A point has the time at which the store got it, and MLflow keeps the same name, step,
 * time and value once: a request whose answer was lost may be sent again. How many points a run has stands in a tag, which
 * is written by the same request as they are, after them.
 */

import type { Environment } from '../remote/index.js';
import { hashOf } from '../store/index.js';
import type { Point } from './points.js';
import { type Ask, RefusedError, server } from './server.js';
import type { Tracker, TrackHead } from './tracker.js';

/** Of one request. */
const MOST_METRICS = 1000;
const MOST_PARAMETERS = 100;
const LONGEST_NAME = 250;
const LONGEST_TAG = 8000;

const BATCH = 30;
const PATH = '/api/2.0/mlflow';

/** Tags: which run it is, and how many of its points are here. */
const IDENTITY = 'longhaul.run';
const POINTS = 'longhaul.points';

interface MlflowRun {
  info: { run_id: string; start_time: number };
  data: { tags?: { key: string; value: string }[] };
}

/** Environment variables as MLflow's own clients have them. */
export const MLFLOW_VARIABLES = {
  token: 'MLFLOW_TRACKING_TOKEN',
  user: 'MLFLOW_TRACKING_USERNAME',
  password: 'MLFLOW_TRACKING_PASSWORD',
} as const;

export function mlflow({ url, experiment }: { url: string; experiment: string }, environment: Environment): Tracker {
  const ask = server({ name: 'MLflow', url, environment, ...credentials(environment) });
  const runs = new Map<string, string>();
  let experimentId: string | null = null;

  const found = async (track: TrackHead, signal: AbortSignal): Promise<MlflowRun | null> => {
    experimentId ??= await experimentOf(ask, experiment, signal);
    const { runs: known = [] } = await ask<{ runs?: MlflowRun[] }>(
      `${PATH}/runs/search`,
      { experiment_ids: [experimentId], filter: `tags.\`${IDENTITY}\` = '${identityOf(track)}'`, max_results: 100 },
      signal,
    );
    // Two that were made at once: all who look take the same.
    const order = (run: MlflowRun) => `${run.info.start_time} ${run.info.run_id}`;
    const [first, ...others] = known.sort(
      (a, b) => Number(count(b) > 0) - Number(count(a) > 0) || compare(order(a), order(b)),
    );
    for (const { info } of others) await ask(`${PATH}/runs/delete`, { run_id: info.run_id }, signal);
    return first ?? null;
  };

  return {
    name: 'mlflow',
    place: url,
    batch: BATCH,
    async has(track, signal) {
      experimentId = null;
      const run =
        (await found(track, signal)) ??
        (await make(ask, experimentId!, track, signal).then(() => found(track, signal)));
      if (!run) throw new Error(`MLflow at ${url} does not find the run that it made`);
      runs.set(track.name, run.info.run_id);
      return count(run);
    },
    async take(track, from, points, signal) {
      const run_id = runs.get(track.name)!;
      const metrics = points.flatMap(metricsOf);
      const parameters = points.flatMap(({ settings }) => Object.entries(settings ?? {})).map(parameter);
      const notes = points.flatMap(({ texts }) => texts.evaluation ?? []);
      // All but the last request leave the count as it is: whoever goes on after a crash sends them again.
      const log = (part: object) => ask(`${PATH}/runs/log-batch`, { run_id, ...part }, signal);
      for (const params of parts(parameters, MOST_PARAMETERS)) await log({ params });
      for (const part of parts(metrics, MOST_METRICS)) await log({ metrics: part });
      await log({
        tags: [
          ...notes.slice(-1).map(text => ({ key: 'mlflow.note.content', value: text.slice(0, LONGEST_TAG) })),
          { key: POINTS, value: String(from + points.length) },
        ],
      });
    },
    async end(track, time, signal) {
      const run_id = runs.get(track.name)!;
      await ask(`${PATH}/runs/update`, { run_id, status: 'FINISHED', end_time: time.getTime() }, signal);
    },
  };
}

/** The experiment of that name, made where there is none. */
async function experimentOf(ask: Ask, name: string, signal: AbortSignal): Promise<string> {
  const search = async () => {
    const body = { filter: `name = '${name}'`, max_results: 1 };
    const { experiments = [] } = await ask<{ experiments?: { experiment_id: string }[] }>(
      `${PATH}/experiments/search`,
      body,
      signal,
    );
    return experiments[0]?.experiment_id ?? null;
  };
  const present = await search();
  if (present !== null) return present;
  try {
    return (await ask<{ experiment_id: string }>(`${PATH}/experiments/create`, { name }, signal)).experiment_id;
  } catch (error) {
    // Made by another meanwhile, or by ourselves though the answer was lost.
    if (!(error instanceof RefusedError) || !error.said.includes('RESOURCE_ALREADY_EXISTS')) throw error;
    const made = await search();
    if (made !== null) return made;
    throw new RefusedError(
      `${error.message} Was the experiment "${name}" deleted? Restore it, or name another.`,
      error.status,
      error.said,
    );
  }
}

async function make(ask: Ask, experiment_id: string, track: TrackHead, signal: AbortSignal): Promise<void> {
  const tags = [
    { key: IDENTITY, value: identityOf(track) },
    { key: POINTS, value: '0' },
    { key: 'mlflow.source.name', value: 'longhaul' },
  ];
  const run = { experiment_id, run_name: track.name, start_time: track.first.time.getTime(), tags };
  await ask(`${PATH}/runs/create`, run, signal);
}

/** A run of another spec has another, so it is another run there, whatever its name. */
const identityOf = ({ name, first }: TrackHead) => `${name} ${hashOf(first.settings).slice(0, 16)}`;

const count = ({ data }: MlflowRun): number => Number(data.tags?.find(({ key }) => key === POINTS)?.value ?? 0);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const metricsOf = ({ metrics, at, time }: Point) =>
  Object.entries(metrics).map(([key, value]) => ({ key: mlflowName(key), value, step: at, timestamp: time.getTime() }));

const parameter = ([path, value]: [string, unknown]) => ({ key: mlflowName(path), value: String(value) });

/** What MLflow refuses in a name, and with it all that was sent beside it, gives way to its code. */
export function mlflowName(name: string): string {
  const bare = [...name].map(c => (/[\w.\-/ ]/.test(c) ? c : `_${c.codePointAt(0)!.toString(16)}`)).join('');
  // As paths they must be as short as they can be.
  return bare.replace(/(^|\/)(?=\/|$|\.{1,2}(\/|$))/g, '$1_').slice(0, LONGEST_NAME);
}

function* parts<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function credentials(environment: Environment): { headers: Record<string, string>; secrets: string[] } {
  const of = (name: keyof typeof MLFLOW_VARIABLES) => environment[MLFLOW_VARIABLES[name]]?.trim() ?? '';
  const [token, user, password] = [of('token'), of('user'), of('password')];
  if (user !== '') {
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    return { headers: { Authorization: `Basic ${basic}` }, secrets: [password, basic] };
  }
  return token === ''
    ? { headers: {}, secrets: [] }
    : { headers: { Authorization: `Bearer ${token}` }, secrets: [token] };
}
