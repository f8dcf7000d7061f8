/** `longhaul verify`: whether a run's log holds together, and its steps give the same bits again. */
import { Command } from 'commander';
import type { PolicyRef } from '../../activities/contract/index.js';
import type { PolicyDependencies } from '../../activities/dependencies.js';
import { createEngine, type EngineSettings, engineSettings } from '../../activities/engine/process/index.js';
import { type LogEntry, redoLog } from '../../activities/policies/index.js';
import { codeText, codeVersion, differ, measureNumerics } from '../../activities/provenance/index.js';
import type { RunPlan } from '../../activities/run/index.js';
import { type ArtifactRef, baseUri, openStore, planUri, readJson, type Store } from '../../activities/store/index.js';
import type { Supervision } from '../../activities/supervision/index.js';
import { ChainCheck } from '../proof/chain.js';
import { redo } from '../proof/redo.js';
import { keepVerification, type Verification } from '../proof/verifications.js';
import { UserError } from '../user-error.js';
import { atLeastOne } from './engine/numbers.js';
import { engineSettingsOf, withEngineSettings } from './engine-settings.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';

type VerifyFlags = StoreFlags & StateFlags & Partial<EngineSettings> & { step?: number; stage?: string; all?: boolean };

/** What a difference is not: damage shows in the log's own check before. */
const MEANING =
  'Equal inputs gave other bits. Another provider, build of onnxruntime or kind of processor may do that; on the machine ' +
  'that trained it, it is a fault: please report it with both values.';

const OTHER_MEANING =
  'Each step that differs was made with other numerics than this engine’s, as said above: that is no fault. Redo it with the ' +
  'version, the --provider and a processor of the kind that made it.';

export function verifyCommand(): Command {
  return withEngineSettings(withStateFlag(withStoreFlag(new Command('verify').argument('<run>', 'name of the run'))))
    .option('--stage <name>', 'only this stage: warmup, phase-1, …')
    .option('--step <k>', 'redo step K of each stage (of --stage)', atLeastOne)
    .option('--all', 'redo every step')
    .description("check a run's log and artifacts against their hashes, then redo logged updates and compare the bits")
    .addHelpText(
      'after',
      '\nWithout --step and --all the last step of each stage is redone. No server is needed. Ends with 0 when all is equal, else with 1.\n\n' +
        'Examples:\n  longhaul verify tiny\n  longhaul verify tiny --stage phase-2 --step 7\n  longhaul verify tiny --all',
    )
    .action(async (run: string, flags: VerifyFlags) => {
      if (flags.all && flags.step !== undefined) throw new UserError('--all and --step: give one of them.');
      const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
      const engine = createEngine(engineSettingsOf(flags));
      try {
        const deps = { store: await openStore(storeOf(flags)), engine };
        const sound = await verify(deps, run, flags, interrupt.signal);
        if (!sound) process.exitCode = 1;
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        process.exitCode = INTERRUPTED;
      } finally {
        interrupt.dispose();
        await engine.close();
      }
    });
}

/** Prints what it finds as it goes. @returns whether everything was as logged */
async function verify(
  deps: PolicyDependencies,
  run: string,
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<boolean> {
  const entries = await checkedLog(deps.store, run, signal);
  const chosen = entries.log.filter(chooser(entries.log, flags));
  if (chosen.length === 0) {
    throw new UserError(
      `"${run}" has no such step: its log has ${stagesIn(entries.log)}. Choose with --stage and --step, or leave them out.`,
    );
  }
  const numerics = await measureNumerics(deps.engine, flags.provider ?? engineSettings().provider);
  const foreign = chosen.filter(({ record }) => differ(record.code?.numerics, numerics));
  const own = codeText(codeVersion(numerics));
  for (const made of new Set(foreign.map(({ record }) => codeText(record.code!))))
    say(`Some of the steps to redo were made with other numerics (${made}) than this engine's (${own}).`);
  const again: Verification['redone'] = [];
  let equal = 0;
  let faults = 0;
  for (const entry of chosen) {
    signal.throwIfAborted();
    if (entry.record.skipped) {
      say(`${nameOf(entry)}: skipped for want of signal, the policy is its parent`);
      equal++;
      continue;
    }
    const difference = await redo({ ...deps, numerics }, entry.record, supervision(signal));
    again.push({ stage: entry.stage.stage, attempt: entry.stage.attempt, step: entry.step, difference });
    if (!difference) equal++;
    else if (!foreign.includes(entry)) faults++;
    const { field, logged, redone } = difference ?? {};
    say(
      difference
        ? `${nameOf(entry)}: DIFFERS, first in ${field}: logged ${JSON.stringify(logged)}, redone ${JSON.stringify(redone)}`
        : `${nameOf(entry)}: bit-equal (sha256 ${entry.record.result.sha256})`,
    );
  }
  say(`${equal} of ${chosen.length} redone ${chosen.length === 1 ? 'step' : 'steps'} bit-equal.`);
  if (equal < chosen.length) say(faults === 0 ? OTHER_MEANING : MEANING);
  const sound = entries.problems.length === 0 && equal === chosen.length;
  const verification = { at: new Date().toISOString(), code: codeVersion(numerics), redone: again, sound };
  await keep(deps.store, run, { ...verification, steps: entries.log.length, faults: entries.problems });
  return sound;
}

/** For whoever asks later; a store that may only be read does without. */
async function keep(store: Store, run: string, verification: Verification): Promise<void> {
  await keepVerification(store, run, verification).catch((error: Error) =>
    say(`This result is not kept in the store: ${error.message}`),
  );
}

async function checkedLog(
  store: Store,
  run: string,
  signal: AbortSignal,
): Promise<{ log: LogEntry[]; problems: string[] }> {
  const base = await store.find(baseUri(run));
  if (!base) {
    throw new UserError(`There is no run "${run}" in this store. Is it another one's (--store, LONGHAUL_STORE)?`);
  }
  const chain = new ChainCheck(store, await beginnings(store, run, base));
  const log: LogEntry[] = [];
  const problems: string[] = [];
  for await (const entry of redoLog(store, run)) {
    signal.throwIfAborted();
    for (const problem of await chain.problemsOf(entry)) {
      problems.push(`${nameOf(entry)}: ${problem}`);
      say(problems.at(-1)!);
    }
    log.push(entry);
  }
  say(
    problems.length === 0
      ? `The log holds together: ${log.length} steps, each from the one before, all they name unharmed.`
      : `The log has ${problems.length} ${problems.length === 1 ? 'fault' : 'faults'}.`,
  );
  return { log, problems };
}

/** The policies that no step of the run made: its base and, of a branch, what it began with. */
async function beginnings(store: Store, run: string, base: ArtifactRef): Promise<PolicyRef[]> {
  const plan = await store.find(planUri(run));
  const branch = plan && (await readJson<RunPlan>(store, plan)).branch;
  return [await readJson<PolicyRef>(store, base), ...(branch ? [branch.policy] : [])];
}

function chooser(log: LogEntry[], { stage, step, all }: VerifyFlags): (entry: LogEntry, k: number) => boolean {
  const last = (entry: LogEntry, k: number) => log[k + 1]?.stage.stage !== entry.stage.stage;
  return (entry, k) =>
    (stage === undefined || entry.stage.stage === stage) &&
    (all || (step === undefined ? last(entry, k) : entry.step === step));
}

function stagesIn(log: LogEntry[]): string {
  const steps = new Map<string, number>();
  for (const { stage, step } of log) steps.set(stage.stage, Math.max(step, steps.get(stage.stage) ?? 0));
  return [...steps].map(([stage, most]) => `${stage} with steps 1 to ${most}`).join(', ') || 'no steps';
}

const nameOf = ({ stage, step }: LogEntry): string =>
  `${stage.stage}${stage.attempt > 1 ? ` (attempt ${stage.attempt})` : ''}, step ${step}`;

function supervision(signal: AbortSignal): Supervision {
  return { call: { signal }, note: () => {}, check: () => signal.throwIfAborted() };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
