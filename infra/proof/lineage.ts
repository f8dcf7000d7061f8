/** Where a policy comes from: the steps from the run's base to it, those made alike in a row as one. */
import { isDeepStrictEqual } from 'node:util';
import type { StepSettings, UpdateRecord } from '../../activities/artifacts/index.js';
import type { PolicyRef } from '../../activities/contract/index.js';
import { type LogEntry, redoLog } from '../../activities/policies/index.js';
import type { CodeVersion } from '../../activities/provenance/index.js';
import { baseUri, readJson, runOf, type Store } from '../../activities/store/index.js';

/** Steps in a row of one attempt, made with the same settings by the same code. */
export interface Stretch {
  /** Another than the lineage's own before a branch. */
  run: string;
  stage: string;
  attempt: number;
  from: number;
  to: number;
  /** The policy after its last step. */
  policy: PolicyRef;
  settings: StepSettings;
  /** SHA-256 of the SFT data, of every step's rollouts and scores, in order. */
  data: string[];
  /** Null in logs of versions that did not say. */
  code: CodeVersion | null;
}

export interface Lineage {
  run: string;
  base: PolicyRef;
  stretches: Stretch[];
}

/**
 * @param name the policy's name or the beginning of it; the run's base is no step's and has no stretches
 * @returns null when no policy of the run is so named
 */
export async function lineageOf(store: Store, run: string, name: string): Promise<Lineage | null> {
  const found = await store.find(baseUri(run));
  if (!found) return null;
  const base = await readJson<PolicyRef>(store, found);
  const makers = await makersIn(store, run);
  const full = [base.name, ...makers.keys()].filter(policy => policy.startsWith(name));
  if (full.length !== 1) return null;
  const chain: LogEntry[] = [];
  for (let at = full[0]!; at !== base.name; at = chain[0]!.record.inputs.parent.name) {
    // A branch begins with a policy of the run that it branched off.
    const origin = chain[0] ? runOf(chain[0].record.inputs.parent.uri) : run;
    const maker = makers.get(at) ?? (await makersIn(store, origin)).get(at);
    if (!maker)
      throw new Error(`run "${origin}": the log has no step that makes policy ${at}; longhaul verify says more`);
    chain.unshift(maker);
  }
  return { run, base, stretches: chain.reduce(joined, []) };
}

/** The step that made each policy of a run. */
async function makersIn(store: Store, run: string): Promise<Map<string, LogEntry>> {
  const makers = new Map<string, LogEntry>();
  for await (const entry of redoLog(store, run)) {
    if (!entry.record.skipped) makers.set(entry.record.result.name, entry);
  }
  return makers;
}

function joined(stretches: Stretch[], { stage, step, record }: LogEntry): Stretch[] {
  const next: Stretch = {
    run: stage.run,
    stage: stage.stage,
    attempt: stage.attempt,
    from: step,
    to: step,
    policy: record.result,
    settings: record.inputs.settings,
    data: dataOf(record),
    code: record.code ?? null,
  };
  const last = stretches.at(-1);
  const alike = (a: Stretch, b: Stretch) =>
    isDeepStrictEqual([a.run, a.stage, a.attempt, a.settings, a.code], [b.run, b.stage, b.attempt, b.settings, b.code]);
  if (!last || !alike(last, next)) return [...stretches, next];
  const data = [...new Set([...last.data, ...next.data])];
  return [...stretches.slice(0, -1), { ...next, from: last.from, data }];
}

function dataOf({ inputs }: UpdateRecord): string[] {
  if (inputs.examples) return [inputs.examples.data.sha256];
  return inputs.rounds.flatMap(({ rollouts, scores }) => [rollouts.sha256, scores.sha256]);
}
