/** Runs of the trial's specs on a cluster of their own, and what they came to. */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CurriculumResult } from '../../../activities/contract/index.js';
import type { RunSpec } from '../../../activities/spec/index.js';
import { Cluster } from '../../chaos/cluster.js';
import { ChaosFolder } from '../../chaos/stores/folder.js';
import { Trial } from '../../chaos/trial.js';
import { CHECKOUT, LONGHAUL_COMMAND } from '../../checkout.js';
import { loadSpec } from '../../specs/spec-files.js';
import { ServiceLink } from './service-link.js';
import type { SkyRl } from './skyrl.js';

const SPECS = join(CHECKOUT, 'infra', 'trials', 'tinker');
const UNDISTURBED = 'undisturbed';
/** What an undisturbed run took, in its folder. */
const SECONDS = 'seconds';
/** The link's port, in the folder of the server behind it. */
const PORT = 'link-port';
const RANK = 8;
const ALPHA = 32;
/** Beyond it a run counts as stuck: a service that is started anew compiles and is tried again first. */
export const PATIENCE_MS = 900_000;

export type Say = (line: string) => void;

export interface Ended {
  store: string;
  run: string;
  result: CurriculumResult;
  seconds: number;
}

/**
 * The adapter's run over a base, on a service or on our own engine.
 * @param changes as `--set` takes them
 */
export async function adapterSpec(base: string, server: SkyRl | null, changes: string[] = []): Promise<RunSpec> {
  const adapter = { rank: RANK, alpha: ALPHA };
  const settings = server
    ? ['engine.kind=tinker', `engine.model=${server.options.base}`, ...assigned('engine.lora', adapter)]
    : [...assigned('lora', adapter), 'lora.targetModules=all-linear'];
  return (await loadSpec(join(SPECS, 'small.yaml'), [`model=${base}`, ...settings, ...changes], CHECKOUT)).spec;
}

const assigned = (path: string, values: Record<string, unknown>): string[] =>
  Object.entries(values).map(([name, value]) => `${path}.${name}=${value}`);

/** What makes workers work with the service behind the link. */
export const variables = ({ url }: ServiceLink): NodeJS.ProcessEnv => ({
  LONGHAUL_ENGINE: 'tinker',
  LONGHAUL_ENGINE_URL: url,
});

/** At the address that it had before, where this server had one: its checkpoints are known by it. */
export async function withLink<T>(server: SkyRl, use: (link: ServiceLink) => Promise<T>): Promise<T> {
  const file = join(server.options.folder, PORT);
  const before = Number(await readFile(file, 'utf8').catch(() => 0));
  const link = await ServiceLink.listen(server.port, before);
  await writeFile(file, String(link.port));
  try {
    return await use(link);
  } finally {
    link.close();
  }
}

/** The base that adapters are trained over: what our own engine makes of tiny's, once a folder. */
export async function warmBase(folder: string, say: Say): Promise<string> {
  const base = join(folder, 'base');
  const { spec } = await loadSpec(join(SPECS, 'warm-up.yaml'), [], CHECKOUT);
  const { store, run } = await undisturbed(folder, spec, {}, say);
  // Not kept from an earlier trial, which may have been broken off in the middle of it.
  await rm(base, { recursive: true, force: true });
  const flags = ['--store', store];
  await promisify(execFile)(process.execPath, [LONGHAUL_COMMAND, 'export', run, base, ...flags]);
  return base;
}

/** Runs the spec with nothing in its way, unless that was done in this folder before; goes on with one that was broken off. */
export async function undisturbed(state: string, spec: RunSpec, env: NodeJS.ProcessEnv, say: Say): Promise<Ended> {
  const earlier = await endedRun(state);
  if (earlier) return earlier;
  const cluster = await Cluster.start({ state, store: new ChaosFolder(storeIn(state)), env, log: say });
  const trial = new Trial(cluster, spec, say, { patienceMs: PATIENCE_MS });
  try {
    await trial.begin(UNDISTURBED);
    await trial.finish();
  } finally {
    await cluster.stop();
  }
  await writeFile(join(state, SECONDS), String(trial.runs[0]!.seconds));
  const ended = await endedRun(state);
  if (!ended) throw new Error(`the undisturbed run does not end by itself: ${trial.stuck}; logs: ${state}`);
  return ended;
}

/** The undisturbed run that is kept there; null where there is none, or not to its end. */
async function endedRun(state: string): Promise<Ended | null> {
  const store = storeIn(state);
  const result = await resultOf(store, UNDISTURBED);
  const seconds = Number(await readFile(join(state, SECONDS), 'utf8').catch(() => Number.NaN));
  return result && !Number.isNaN(seconds) ? { store, run: UNDISTURBED, result, seconds } : null;
}

export const storeIn = (state: string): string => join(state, 'store');

export async function resultOf(store: string, run: string): Promise<CurriculumResult | null> {
  const text = await readFile(join(store, 'runs', run, 'result.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as CurriculumResult);
}
