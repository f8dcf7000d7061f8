/** `longhaul study`: variants of a spec over several seeds, shown live, and the report of what they show. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { Command, Option } from 'commander';
import { differences } from '../../activities/spec/index.js';
import { openStore } from '../../activities/store/index.js';
import { type FoundReport, findReport } from '../../activities/studies/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import { withoutWorkers } from '../local/awaited-workers.js';
import { type BegunStudy, beginStudy } from '../local/begin-study.js';
import { nextCommand, typedCommand } from '../local/command-lines.js';
import { type LoadedStudy, loadStudy } from '../specs/study-files.js';
import { REPORT_FORMATS, type ReportFormat, renderReport } from '../studies/render.js';
import { UserError } from '../user-error.js';
import { innermost } from '../view/follow.js';
import { followStudy, type StudyOutcome } from '../view/follow-study.js';
import { type Screen, screenOn } from '../view/screen.js';
import { INTERRUPTED } from './interrupt.js';
import {
  folder,
  type SpecFlags,
  type StackFlags,
  storeOf,
  withConnectionFlags,
  withSpecFlags,
  withStackFlags,
  workingFolder,
} from './options.js';
import { type UsedServer, withServer } from './server.js';

type StudyFlags = ConnectionFlags &
  StackFlags &
  SpecFlags & { check?: boolean; format: ReportFormat; report?: string; watch: boolean };

const HELP = `
A study is YAML or JSON; docs/study-spec.md has every field. Paths are taken from its folder.

  base: tiny                    # a preset or a spec file
  variants:
    - { name: full }
    - { name: cold, set: { warmup: null } }
  seeds: [1, 2, 3]
  hypotheses:
    - { variant: full, above: cold, on: 80-facts }

Each variant is trained with each seed, as a run NAME.VARIANT.SEED. What runs have in common is made once. Ctrl-C stops; the
same command goes on where it was. With further variants, seeds or hypotheses in the file it makes those alone. --set lays
values over the base, for all variants.

The same from the Temporal CLI, with a preset or a whole spec as base:
  temporal workflow start --type study --task-queue longhaul --workflow-id NAME --input-file study.json

Examples:
  longhaul study infra/studies/tiny-claims.yaml
  longhaul study my-study.yaml --report results
  longhaul study my-study.yaml --check --format markdown`;

export function studyCommand(): Command {
  const command = new Command('study').argument('<file>', 'study file, YAML or JSON');
  return withStackFlags(withConnectionFlags(withSpecFlags(command)))
    .description('train variants of a spec over several seeds, and report what they show')
    .option('--check', 'compute the report again from the store, and compare it with what was published')
    .addOption(new Option('--format <format>', 'how to print the report').choices(REPORT_FORMATS).default('text'))
    .option('--report <folder>', 'write the report there too, in every format')
    .option('--watch', 'show it live until it ends (the default)', true)
    .option('--no-watch', 'start it on a configured server and leave it to the workers there')
    .addHelpText('after', HELP)
    .action(async (file: string, flags: StudyFlags) => {
      process.exitCode = await study(file, flags);
    });
}

async function study(file: string, flags: StudyFlags): Promise<number> {
  const { name, set = [] } = flags;
  const loaded = await loadStudy(file, { name, settings: set }, workingFolder());
  if (flags.check) return check(loaded, flags);
  // What is asked for as data is all that goes there.
  const screen = screenOn(flags.format === 'text' ? process.stdout : process.stderr);
  return withServer(flags, screen, server => onServer(server, loaded, flags, screen));
}

async function onServer(
  { client, stack, signal }: UsedServer,
  loaded: LoadedStudy,
  flags: StudyFlags,
  screen: Screen,
): Promise<number> {
  if (!flags.watch && stack?.owned)
    throw new UserError(
      `--no-watch: there is no server that would go on with it. Start one with ${nextCommand('up')}.`,
    );
  const { name, input } = loaded;
  const begun = await beginStudy(client, name, input).catch((error: unknown) => {
    if (error instanceof WorkflowUpdateFailedError)
      throw new UserError(
        `The study "${name}" is under way with another spec, and cannot take this up:\n${innermost(error)}`,
      );
    throw error;
  });
  screen.print([BEGAN[begun](name)]);
  if (!stack) {
    const engines = loaded.valid.variants.map(({ spec }) => spec.engine.kind ?? 'onnx');
    screen.print(await withoutWorkers(client, engines));
  }
  if (!flags.watch) return 0;
  const outcome = await followStudy({
    client,
    study: name,
    screen,
    signal,
    ...(stack && { footer: ['', `UI ${stack.ui}`] }),
    gone: () => (stack && !stack.alive() ? 'the process that ran the local stack is gone' : null),
  });
  screen.keep();
  if (outcome) return conclude(loaded, outcome, flags, screen);
  const rest = stack?.owned ? ', and all else' : '';
  screen.print([`Stopped watching${rest}. Nothing is lost. To go on: ${typedCommand()}`]);
  return INTERRUPTED;
}

const BEGAN: Record<BegunStudy, (study: string) => string> = {
  started: study => `The study "${study}" has started: it makes what the store has not.`,
  resumed: study => `The study "${study}" is unfinished: it goes on where it was.`,
  extended: study => `The study "${study}" is under way, and has taken up what is new in the file.`,
};

async function conclude(
  loaded: LoadedStudy,
  outcome: StudyOutcome,
  flags: StudyFlags,
  screen: Screen,
): Promise<number> {
  if (outcome.kind === 'ended') {
    screen.print([`${loaded.name} ended as ${outcome.status}: ${outcome.reason}`]);
    return 1;
  }
  await print(await reportOf(loaded, flags), flags);
  const { failed } = outcome.result;
  screen.print(failed.map(({ run, error }) => `${run} failed: ${error}`));
  return failed.length > 0 ? 1 : 0;
}

/** @throws UserError where the store has none */
async function reportOf({ name, valid }: LoadedStudy, flags: StudyFlags): Promise<FoundReport> {
  const found = await findReport(await openStore(storeOf(flags)), name, valid.study);
  if (found) return found;
  throw new UserError(
    `The store has no study "${name}" of this file. Is it another store's (--store, LONGHAUL_STORE), or was the file changed since?`,
  );
}

/** The numbers made again from the scores in the store, whose hashes are checked as they are read. */
async function check(loaded: LoadedStudy, flags: StudyFlags): Promise<number> {
  const found = await reportOf(loaded, flags);
  const { now, published } = found;
  const differing = published ? differences(JSON.parse(published.text), JSON.parse(JSON.stringify(now))) : [];
  await print(found, flags);
  const said =
    published === null
      ? `Not published yet: ${now.missing.length > 0 ? 'the study is unfinished' : 'start the study again'}.`
      : differing.length === 0
        ? `Computed again from ${now.cells.length} runs in the store: every number is as published (sha256 ${published.ref.sha256}).`
        : `DIFFERS from what was published, in ${differing.join(', ')}.`;
  process.stderr.write(`${said}\n`);
  return published !== null && differing.length === 0 ? 0 : 1;
}

async function print({ now, published }: FoundReport, { format, report }: StudyFlags): Promise<void> {
  const place = published?.ref.uri ?? null;
  process.stdout.write(renderReport(now, format, place));
  if (report === undefined) return;
  const target = folder(report);
  await mkdir(target, { recursive: true });
  for (const one of REPORT_FORMATS)
    await writeFile(join(target, `report.${ENDINGS[one]}`), renderReport(now, one, place));
}

const ENDINGS: Record<ReportFormat, string> = { text: 'txt', markdown: 'md', json: 'json', svg: 'svg' };
