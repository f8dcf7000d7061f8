/** The `longhaul` command: one file a subcommand; this one only puts them together and turns errors into words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { DataError } from '../../activities/datasets/index.js';
import { EngineLostError, EngineRequestError } from '../../activities/engine/protocol/index.js';
import { OutOfToleranceError } from '../../activities/provenance/index.js';
import { InvalidSpecError } from '../../activities/spec/index.js';
import {
  DivergenceError,
  S3AddressError,
  StoreAwayError,
  StoreFormatError,
  StoreMissingError,
  StoreNameError,
  UnfitBucketError,
} from '../../activities/store/index.js';
import { IncompatibleRunsError } from '../../workers/incompatible-runs.js';
import { OtherNumericsError } from '../../workers/other-numerics.js';
import { UnservedRunsError } from '../../workers/unserved-runs.js';
import { CHECKOUT } from '../checkout.js';
import { UserError } from '../user-error.js';
import { dataCommand } from './data.js';
import { engineCommand } from './engine.js';
import { evaluateCommand } from './evaluate.js';
import { exportCommand } from './export.js';
import { initCommand } from './init.js';
import { lineageCommand } from './lineage.js';
import { rewardCommand } from './reward.js';
import { runCommand } from './run.js';
import { scheduleCommand } from './schedule.js';
import { startCommand } from './start.js';
import { storeCommand } from './store.js';
import { tableCommand } from './table.js';
import { temporalCommand } from './temporal.js';
import { uiCommand } from './ui.js';
import { upCommand } from './up.js';
import { verifyCommand } from './verify.js';
import { watchCommand } from './watch.js';
import { workerCommand } from './worker.js';

/** Errors whose message says all a person needs; others are shown with their stack. */
const PLAIN = [
  UserError,
  StoreNameError,
  InvalidSpecError,
  DataError,
  DivergenceError,
  IncompatibleRunsError,
  OtherNumericsError,
  UnservedRunsError,
  OutOfToleranceError,
  EngineRequestError,
  EngineLostError,
  StoreMissingError,
  StoreFormatError,
  StoreAwayError,
  S3AddressError,
  UnfitBucketError,
];

/** Runs one command line and gives its exit code. */
export async function main(argv: string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const plain = PLAIN.some(type => error instanceof type);
    process.stderr.write(
      `${plain ? (error as Error).message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
}

/** Every command with its flags, before any is run. */
export function program(): Command {
  return new Command('longhaul')
    .description('Durable reinforcement learning for long-context language models.')
    .version(version())
    .addHelpText(
      'after',
      '\nBeforehand:      longhaul init               writes a spec for your model and data\n' +
        '                 longhaul data inspect SPEC  what each phase would train on\n' +
        'Here and now:    longhaul start              what `npm start` runs\n' +
        'Piece by piece:  longhaul up                 a local server and workers, until Ctrl-C\n' +
        '                 longhaul run tiny           a run on it\n' +
        '                 longhaul watch tiny\n' +
        '                 longhaul ui                 the same and more, in a browser\n' +
        '                 longhaul export tiny DIR    its policy, as a Hugging Face folder',
    )
    .enablePositionalOptions() // so that `longhaul temporal …` passes on what looks like an option
    .showHelpAfterError('(add --help for what there is)')
    .addCommand(initCommand())
    .addCommand(startCommand())
    .addCommand(upCommand())
    .addCommand(runCommand())
    .addCommand(watchCommand())
    .addCommand(uiCommand())
    .addCommand(dataCommand())
    .addCommand(exportCommand())
    .addCommand(verifyCommand())
    .addCommand(lineageCommand())
    .addCommand(evaluateCommand())
    .addCommand(tableCommand())
    .addCommand(scheduleCommand())
    .addCommand(workerCommand())
    .addCommand(storeCommand())
    .addCommand(engineCommand())
    .addCommand(rewardCommand())
    .addCommand(temporalCommand());
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
  return version;
}
