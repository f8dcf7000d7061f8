/** `longhaul export-metrics`: what trackers lack of a run, from the store alone. */
import { Command } from 'commander';
import { type RunSpec, runNameSchema, validateSpec } from '../../activities/spec/index.js';
import { openStore, readJson, type Store, specUri } from '../../activities/store/index.js';
import {
  CatchUp,
  OtherRunError,
  RunReader,
  StrangeFileError,
  TrackerAwayError,
  trackersOf,
} from '../../activities/trackers/index.js';
import { UserError } from '../user-error.js';
import { type ExportFlags, exportSettingsOf, withExportFlags } from './export-flags.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';

type Flags = StoreFlags & StateFlags & ExportFlags;

export function exportMetricsCommand(): Command {
  const command = withStateFlag(withStoreFlag(new Command('export-metrics').argument('<run>', 'name of the run')));
  return withExportFlags(command, 'Trackers (none named: those that its spec names):')
    .description("write what trackers lack of a run's metrics: each point once, however often it is called")
    .addHelpText(
      'after',
      '\nThe server is not asked: the store has all of it, during a run and after it.\n\n' +
        'Examples:\n  longhaul export-metrics tiny --tensorboard logs\n  longhaul export-metrics tiny --mlflow http://127.0.0.1:5000',
    )
    .action(async (run: string, flags: Flags) => {
      process.exitCode = await exportMetrics(run, flags);
    });
}

async function exportMetrics(run: string, flags: Flags): Promise<number> {
  const asked = exportSettingsOf(flags);
  const store = await openStore(storeOf(flags));
  await store.open();
  const spec = await specOf(store, run);
  const settings = asked ?? spec.export;
  if (!settings) throw new UserError(`The spec of "${run}" names no tracker: give one, as --tensorboard FOLDER.`);
  const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
  const reader = new RunReader(store, run);
  let failed = 0;
  for (const tracker of trackersOf(settings, process.env)) {
    const say = (text: string) => process.stdout.write(`${tracker.name.padEnd(11)}  ${tracker.place}: ${text}\n`);
    try {
      const { written, present, behind, waitsFor } = await new CatchUp(reader, tracker).pass(interrupt.signal);
      const before = present - written;
      say(`${points(written)} written${before > 0 ? `, ${points(before)} there before` : ''}`);
      if (waitsFor !== null || behind > 0) {
        failed++;
        say(`${waitsFor ?? points(behind)} not in the store: what follows is not written yet`);
      }
    } catch (error) {
      if (interrupt.signal.aborted) return INTERRUPTED;
      if (!isItsOwn(error)) throw error;
      failed++;
      process.stderr.write(`${tracker.name}: ${(error as Error).message}\n`);
    }
  }
  return failed > 0 ? 1 : 0;
}

async function specOf(store: Store, run: string): Promise<RunSpec> {
  const name = runNameSchema.safeParse(run);
  const ref = name.success ? await store.find(specUri(run)) : null;
  if (!ref) throw new UserError(`The store has no run "${run}". Is it another store (--store, LONGHAUL_STORE)?`);
  return validateSpec(await readJson(store, ref));
}

/** What one tracker cannot is no reason to leave the others out. */
function isItsOwn(error: unknown): boolean {
  const isOfFiles = typeof (error as NodeJS.ErrnoException).syscall === 'string';
  return isOfFiles || [TrackerAwayError, OtherRunError, StrangeFileError].some(type => error instanceof type);
}

const points = (count: number) => (count === 1 ? '1 point' : `${count} points`);
