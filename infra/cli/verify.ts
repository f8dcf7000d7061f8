/** `longhaul verify`: whether a run's log holds together, and its steps come out again as they were promised to. */
import { Command } from 'commander';
import type { PolicyRef } from '../../activities/contract/index.js';
import type { EngineSettings } from '../../activities/engine/process/index.js';
import { type Comparison, differenceText, type LogEntry, redoLog } from '../../activities/policies/index.js';
import { codeText, codeVersion, differ } from '../../activities/provenance/index.js';
import { outcomesOf, type RunPlan, type StageOutcome } from '../../activities/run/index.js';
import { type ArtifactRef, baseUri, openStore, planUri, readJson, type Store } from '../../activities/store/index.js';
import { ChainCheck } from '../proof/chain.js';
import { redo } from '../proof/redo.js';
import { type RedoEngine, redoEngine } from '../proof/redo-engine.js';
import { supervisionOf } from '../proof/supervision.js';
import { keepVerification, type Verification } from '../proof/verifications.js';
import { UserError } from '../user-error.js';
import { atLeastOne } from './engine/numbers.js';
import { engineSettingsOf, withEngineSettings } from './engine-settings.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';
import { type ServiceFlags, serviceOf, withServiceFlags } from './service-flags.js';

type VerifyFlags = StoreFlags &
  StateFlags &
  ServiceFlags &
  Partial<EngineSettings> & { step?: number; stage?: string; all?: boolean };

/** What a difference is not: damage shows in the log's own check before. */
const MEANING =
  'Equal inputs gave other bits. Another provider, build of onnxruntime or kind of processor may do that; on the machine ' +
  'that trained it, it is a fault: please report it with both values.';

const OTHER_MEANING =
  'Each step that differs was made with other numerics than this engine’s, as said above: that is no fault. Redo it with the ' +
  'version, the --provider and a processor of the kind that made it.';

const SERVICE_MEANING =
  'The service did not do again what it did: is it another one, does it train other models too, or has its model changed? ' +
  'Ask for the steps again where it trains nothing else.';

export function verifyCommand(): Command {
  const command = withStateFlag(withStoreFlag(new Command('verify').argument('<run>', 'name of the run')));
  return withServiceFlags(withEngineSettings(command))
    .option('--stage <name>', 'only this stage: warmup, phase-1, …')
    .option('--step <k>', 'redo step K of each stage (of --stage)', atLeastOne)
    .option('--all', 'redo every step')
    .description("check a run's log and artifacts against their hashes, then redo logged updates and compare")
    .addHelpText(
      'after',
      '\nWithout --step and --all the last step of each stage is redone. No server is needed. Ends with 0 when all is as promised, equal bits or a service’s tolerance, else with 1.\n\n' +
        'Examples:\n  longhaul verify tiny\n  longhaul verify tiny --stage phase-2 --step 7\n  longhaul verify tiny --all',
    )
    .action(async (run: string, flags: VerifyFlags) => {
      if (flags.all && flags.step !== undefined) throw new UserError('--all and --step: give one of them.');
      const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
      try {
        const sound = await verify(await openStore(storeOf(flags)), run, flags, interrupt.signal);
        if (!sound) process.exitCode = 1;
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        process.exitCode = INTERRUPTED;
      } finally {
        interrupt.dispose();
      }
    });
}

/** Prints what it finds as it goes. @returns whether everything was as logged */
async function verify(store: Store, run: string, flags: VerifyFlags, signal: AbortSignal): Promise<boolean> {
  const entries = await checkedLog(store, run, signal);
  const chosen = entries.log.filter(chooser(entries.log, flags));
  if (chosen.length === 0) {
    throw new UserError(
      `"${run}" has no such step: its log has ${stagesIn(entries.log)}. Choose with --stage and --step, or leave them out.`,
    );
  }
  const engine = await redoEngine(store, run, engineSettingsOf(flags), await serviceOf(flags));
  try {
    const again = await redoAll({ store, ...engine }, chosen, signal);
    const sound = again.sound && entries.problems.length === 0;
    const at = new Date().toISOString();
    await keep(store, run, { ...again, sound, at, steps: entries.log.length, faults: entries.problems });
    return sound;
  } finally {
    await engine.engine.close();
  }
}

/** Makes the steps again; `sound` says whether every one came out as its engine promises. */
async function redoAll(
  deps: RedoEngine & { store: Store },
  chosen: LogEntry[],
  signal: AbortSignal,
): Promise<Pick<Verification, 'code' | 'redone' | 'sound'>> {
  const { numerics } = deps;
  const foreign = chosen.filter(({ record }) => differ(record.code?.numerics, numerics));
  const own = codeText(codeVersion(numerics));
  for (const made of new Set(foreign.map(({ record }) => codeText(record.code!))))
    say(`Some of the steps to redo were made with other numerics (${made}) than this engine's (${own}).`);
  const again: Verification['redone'] = [];
  let kept = 0;
  let faults = 0;
  let within = false;
  for (const entry of chosen) {
    signal.throwIfAborted();
    if (entry.record.skipped) {
      say(`${nameOf(entry)}: skipped for want of signal, the policy is its parent`);
      kept++;
      continue;
    }
    const comparison = await redo(deps, entry.record, supervisionOf(signal));
    const { difference, kept: isKept } = comparison;
    again.push({ stage: entry.stage.stage, attempt: entry.stage.attempt, step: entry.step, difference, kept: isKept });
    within ||= comparison.tolerance !== null;
    if (isKept) kept++;
    else if (!foreign.includes(entry)) faults++;
    say(`${nameOf(entry)}: ${comparisonText(comparison, entry.record.result)}`);
  }
  const promise = within ? 'within the tolerance' : 'bit-equal';
  say(`${kept} of ${chosen.length} redone ${chosen.length === 1 ? 'step' : 'steps'} ${promise}.`);
  if (kept < chosen.length) say(within ? SERVICE_MEANING : faults === 0 ? OTHER_MEANING : MEANING);
  return { code: codeVersion(numerics), redone: again, sound: kept === chosen.length };
}

/** For whoever asks later; a store that may only be read does without. */
async function keep(store: Store, run: string, verification: Verification): Promise<void> {
  await keepVerification(store, run, verification).catch((error: Error) =>
    say(`This result is not kept in the store: ${error.message}`),
  );
}

function comparisonText({ difference, kept, tolerance }: Comparison, { sha256 }: PolicyRef): string {
  if (tolerance === null)
    return difference ? `DIFFERS, first in ${differenceText(difference)}` : `bit-equal (sha256 ${sha256})`;
  if (!difference) return `equal in every number that is measured (${tolerance} is promised)`;
  const far = `most in ${differenceText(difference)}, where ${tolerance} is promised`;
  return kept ? `within the tolerance, ${far}` : `DIFFERS, ${far}`;
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

/** The policies that no step of the run made: its base, what a branch began with, and what was taken from other runs. */
async function beginnings(store: Store, run: string, base: ArtifactRef): Promise<PolicyRef[]> {
  const plan = await store.find(planUri(run));
  const branch = plan && (await readJson<RunPlan>(store, plan)).branch;
  const taken = (await outcomesOf(store, run)).filter(({ of, name }) => of !== run && /^(warmup|phase-)/.test(name));
  for (const { of, name } of taken)
    say(`${name} is of the run "${of}", whose log has its steps: longhaul verify ${of}`);
  const policies = taken.map(({ result }) => (result as StageOutcome).policy);
  return [await readJson<PolicyRef>(store, base), ...(branch ? [branch.policy] : []), ...policies];
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

const say = (line: string): void => void process.stdout.write(`${line}\n`);
