/** `longhaul evaluate`: the models of an evaluation spec on its benchmarks, shown live, and their table. */
import { Command } from 'commander';
import { invalidEvaluation } from '../../activities/spec/index.js';
import { openStore } from '../../activities/store/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import { modelsTable } from '../evaluations/table.js';
import { withoutWorkers } from '../local/awaited-workers.js';
import { type Begun, beginWorkflow } from '../local/begin-run.js';
import { nextCommand, typedCommand } from '../local/command-lines.js';
import { type LoadedEvaluation, loadEvaluation } from '../specs/evaluation-files.js';
import { missingFiles } from '../specs/local-files.js';
import { UserError } from '../user-error.js';
import { type EvaluationOutcome, followEvaluations } from '../view/follow-evaluations.js';
import { type Screen, screenOn } from '../view/screen.js';
import { INTERRUPTED } from './interrupt.js';
import {
  collect,
  type SpecFlags,
  type StackFlags,
  storeOf,
  withConnectionFlags,
  withSpecFlags,
  withStackFlags,
  workingFolder,
} from './options.js';
import { isConfigured, type UsedServer, withServer } from './server.js';

type EvaluateFlags = ConnectionFlags & StackFlags & SpecFlags & { model?: string[]; watch: boolean };

const HELP = `
A spec is YAML or JSON; activities/spec/evaluation-spec.ts has every field with its default. Paths are taken from its folder.

  benchmarks:
    - { name: hotpotqa, source: { type: hotpotqa, path: hotpot_dev.json }, limit: 200 }
    - { name: musique, source: { type: musique, path: musique_dev.jsonl }, limit: 200 }
  models:                      # or one \`model:\`
    - { run: my-run }          # the newest policy of a run; policy: final, base or a policy's name
    - { folder: hf:Qwen/Qwen2.5-7B-Instruct }
    - { label: o3-mini, remote: { url: https://api.openai.com/v1, model: o3-mini, keyVariable: OPENAI_API_KEY } }

Every model answers the same items, and each is a workflow of its own, NAME/LABEL. Ctrl-C stops; the same command goes on
where it was, and asks no endpoint for what it has answered. Where no server is configured (--address, TEMPORAL_ADDRESS, a profile)
it works on the local stack, which is brought up as by \`longhaul start\` unless it runs.

The same from the Temporal CLI, with one \`model\` in the file:
  temporal workflow start --type evaluation --task-queue longhaul --workflow-id NAME --input-file eval.json

Examples:
  longhaul evaluate eval.yaml
  longhaul evaluate eval.yaml --model run:my-run --model remote:o3-mini --name trial --set benchmarks.0.limit=20
  longhaul evaluate eval.yaml --model hf:HuggingFaceTB/SmolLM2-135M-Instruct --set sampling.maxNewTokens=512`;

export function evaluateCommand(): Command {
  const command = new Command('evaluate').argument('<spec>', 'evaluation spec file, YAML or JSON');
  return withStackFlags(withConnectionFlags(withSpecFlags(command)))
    .description('evaluate models on benchmarks, show it live, and print their table')
    .option(
      '--model <model>',
      'run:NAME[@POLICY], folder:DIR or DIR, hf:OWNER/NAME, remote:LABEL of the spec (repeatable)',
      collect,
    )
    .option('--watch', 'show it live until it ends (the default)', true)
    .option('--no-watch', 'start it on a configured server and leave it to the workers there')
    .addHelpText('after', HELP)
    .action(async (file: string, flags: EvaluateFlags) => {
      process.exitCode = await evaluate(file, flags);
    });
}

async function evaluate(file: string, flags: EvaluateFlags): Promise<number> {
  const { name, set = [], model = [] } = flags;
  const loaded = await loadEvaluation(file, { name, settings: set, models: model }, workingFolder());
  if (!isConfigured(flags)) await refuseMissingFiles(loaded);
  const screen = screenOn(process.stdout);
  return withServer(flags, screen, server => onServer(server, loaded, flags, screen));
}

/** The local stack's workers read what lies here; those of a configured server may sit on another machine. */
async function refuseMissingFiles({ evaluations }: LoadedEvaluation): Promise<void> {
  const found = (await Promise.all(evaluations.map(({ spec }) => missingFiles(spec)))).flat();
  const issues = [...new Map(found.map(issue => [issue.path + issue.problem, issue])).values()];
  if (issues.length > 0) throw invalidEvaluation(issues);
}

async function onServer(
  { client, stack, signal }: UsedServer,
  { name, evaluations }: LoadedEvaluation,
  flags: EvaluateFlags,
  screen: Screen,
): Promise<number> {
  if (!flags.watch && stack?.owned) {
    throw new UserError(
      `--no-watch: there is no server that would go on with it. Start one with ${nextCommand('up')}.`,
    );
  }
  const ids: string[] = [];
  for (const { label, spec } of evaluations) {
    const id = `${name}/${label}`;
    screen.print([said(id, await beginWorkflow(client, 'evaluation', id, spec))]);
    ids.push(id);
  }
  if (!stack) {
    // Which engine a run's policy needs, the store knows; of an endpoint none is needed.
    const engines = evaluations.flatMap(({ spec }) => (spec.model.folder === undefined ? [] : (['onnx'] as const)));
    screen.print(await withoutWorkers(client, engines));
  }
  if (!flags.watch) return 0;
  const outcomes = await followEvaluations({
    client,
    ids,
    screen,
    signal,
    ...(stack && { footer: ['', `UI ${stack.ui}`] }),
    gone: () => (stack && !stack.alive() ? 'the process that ran the local stack is gone' : null),
  });
  screen.keep();
  if (outcomes) return conclude(name, outcomes, flags, screen);
  screen.print([
    `Stopped watching${stack?.owned ? ', and all else' : ''}. Nothing is lost. To go on: ${typedCommand()}`,
  ]);
  return INTERRUPTED;
}

/**
 * One line on what was begun.
 * @throws UserError where the name stands for another evaluation
 */
function said(id: string, { how, otherSpec }: Begun): string {
  if (otherSpec) {
    throw new UserError(
      `The evaluation "${id}" was begun with another spec, and a name stands for one. Give this one another: --name NAME.`,
    );
  }
  return BEGAN[how](id);
}

const BEGAN: Record<Begun['how'], (id: string) => string> = {
  started: id => `${id} has started.`,
  resumed: id => `${id} is unfinished: it goes on where it was.`,
  again: id => `${id} had ended without success: started again, from what it had published.`,
  finished: id => `${id} is finished. To evaluate anew, give another name: --name NAME.`,
};

async function conclude(
  name: string,
  outcomes: EvaluationOutcome[],
  flags: EvaluateFlags,
  screen: Screen,
): Promise<number> {
  const failed = outcomes.filter(outcome => outcome.kind === 'ended');
  if (failed.length < outcomes.length) {
    const table = await modelsTable(await openStore(storeOf(flags)), { names: [name] });
    screen.print(['', table.trimEnd(), '', `More of it: ${nextCommand('table', name, '--help')}`]);
  }
  screen.print(failed.map(({ id, status, reason }) => `${id} ended as ${status}: ${reason}`));
  return failed.length > 0 ? 1 : 0;
}
