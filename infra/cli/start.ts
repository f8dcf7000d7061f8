/** `longhaul start`, which `npm start` runs: the local stack, one run on it, its live view and its results. */
import { Client, Connection } from '@temporalio/client';
import { Command } from 'commander';
import type { CurriculumInput, CurriculumResult } from '../../activities/contract/index.js';
import { WEIGHTS_FILE } from '../../activities/engine/files/index.js';
import { ADAPTER_WEIGHTS_FILE } from '../../activities/engine/folders/index.js';
import { isBranch, openBranch } from '../../activities/run/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import { openStore } from '../../activities/store/index.js';
import { adviceLines } from '../local/advice.js';
import { expectEngine } from '../local/awaited-workers.js';
import { beginRun } from '../local/begin-run.js';
import { nextCommand, rememberLocalServer, typedCommand } from '../local/command-lines.js';
import { logsOf, type Stack, startStack } from '../local/stack.js';
import { restOfMetrics } from '../view/exporter.js';
import { follow, type Outcome } from '../view/follow.js';
import { heldOutQuestion } from '../view/held-out.js';
import { plannedSteps } from '../view/planned-steps.js';
import { evaluationTable } from '../view/progress-text.js';
import { type Screen, screenOn } from '../view/screen.js';
import { INTERRUPTED, type Interrupt, onInterrupt } from './interrupt.js';
import {
  askedRun,
  type PageFlags,
  portOf,
  type SpecFlags,
  type StackFlags,
  sayHowItBegan,
  stateOf,
  storeOf,
  withPageFlag,
  withRunFlags,
  withStackFlags,
} from './options.js';
import { SERVICE_VARIABLES } from './service-flags.js';
import { STACK_METRICS, type TelemetryFlags, telemetryOf, withTelemetryFlags } from './telemetry-flags.js';

type StartFlags = SpecFlags & StackFlags & TelemetryFlags & PageFlags;

const DEFAULT_PRESET = 'tiny';

/** With trackers that are still given the last points of a run: after it the local stack stops. */
const PATIENCE_MS = 20_000;

interface Start {
  run: string;
  input: CurriculumInput;
  spec: RunSpec;
  state: string;
  store: string;
  flags: StartFlags;
  screen: Screen;
  interrupt: Interrupt;
  /** The command that goes on with this run, and the one that starts another like it. */
  again: string;
  another: string;
}

export function startCommand(): Command {
  const command = new Command('start').argument('[preset-or-file]', `preset or spec file (default: ${DEFAULT_PRESET})`);
  return withTelemetryFlags(withPageFlag(withStackFlags(withRunFlags(command))), STACK_METRICS)
    .description('bring up a local stack, run a spec on it, show it live, and print its results')
    .addHelpText(
      'after',
      '\nCalled again, it goes on with an unfinished run. Ctrl-C stops everything cleanly.\n\n' +
        'Examples:\n' +
        '  npm start\n' +
        '  npm start -- tiny --name tiny-2 --set seed=2\n' +
        '  npm start -- --from tiny/phase-3 --name tiny-warmer --set rl.sampling.temperature=1.2\n' +
        '  npm start -- my.yaml --set phases.0.steps=20 --set rl.optimizer.learningRate=1e-5',
    )
    .action(async (nameOrFile: string | undefined, flags: StartFlags) => {
      process.exitCode = await start(nameOrFile, flags);
    });
}

async function start(named: string | undefined, flags: StartFlags): Promise<number> {
  const nameOrFile = named ?? (flags.from === undefined ? DEFAULT_PRESET : undefined);
  const { run, input } = await askedRun(nameOrFile, flags); // a mistake shows before anything is started
  const store = storeOf(flags);
  const telemetry = telemetryOf(flags);
  const screen = screenOn(process.stdout);
  let stack: Stack | null = null;
  const interrupt = onInterrupt(() => {
    stack?.kill();
    process.exit(INTERRUPTED);
  });
  const order: Start = {
    run,
    input,
    spec: isBranch(input) ? (await openBranch(await openStore(store), input)).spec : (input as RunSpec),
    state: stateOf(flags),
    store,
    flags,
    screen,
    interrupt,
    again: typedCommand(),
    another: typedCommand({ name: 'NAME' }),
  };
  expectEngine(order.spec.engine.kind ?? 'onnx', SERVICE_VARIABLES.engine);
  stack = await startStack({
    state: order.state,
    store: order.store,
    port: portOf(flags.port),
    uiPort: portOf(flags.uiPort),
    telemetry,
    page: { port: portOf(flags.pagePort) },
    log: line => screen.print([line]),
  });
  rememberLocalServer(stack.address);
  try {
    return await onStack(order, stack);
  } finally {
    if (stack.owned)
      screen.print(['Stopping: the workers hand back their work first (Ctrl-C again ends them at once).']);
    await stack.stop();
    interrupt.dispose();
  }
}

async function onStack(order: Start, stack: Stack): Promise<number> {
  const { run, input, spec, flags, screen, interrupt } = order;
  const connection = await Connection.connect({ address: stack.address });
  try {
    const client = new Client({ connection });
    const begun = await beginRun(client, run, input);
    const ui = `${stack.ui}/namespaces/default/workflows/${run}`;
    screen.print([
      sayHowItBegan(run, begun, flags),
      `Watch it learn: ${pageOf(order, stack)}`,
      `Temporal's UI ${ui}`,
      `Logs ${logsOf(order.state)}`,
    ]);
    const outcome = await follow({
      client,
      run,
      screen,
      planned: plannedSteps(spec.phases),
      signal: interrupt.signal,
      footer: ['', `Watch it learn: ${pageOf(order, stack)}`],
      advice: adviceLines,
      gone: () => (stack.alive() ? null : 'the process that ran the local stack is gone'),
    });
    screen.keep();
    if (outcome.kind === 'done') screen.print(await restOfMetrics(client, run, PATIENCE_MS));
    return await conclude(order, stack, outcome);
  } finally {
    await connection.close();
  }
}

/** Where a browser shows the run; of a stack that another process runs without the page, the command that serves it. */
const pageOf = ({ run }: Start, { page }: Stack): string =>
  page !== undefined ? `${page}/runs/${run}` : nextCommand('ui');

/** Says how it went, and gives the exit code. */
async function conclude(order: Start, stack: Stack, outcome: Outcome): Promise<number> {
  const { run, screen, again } = order;
  const goOn = `Nothing is lost. To go on: ${again}`;
  switch (outcome.kind) {
    case 'done':
      screen.print(await results(order, stack, outcome.result));
      return 0;
    case 'ended':
      screen.print([
        `The run "${run}" ended as ${outcome.status}: ${outcome.reason}`,
        `What it has published is kept. With the cause removed, go on with: ${again}`,
      ]);
      return 1;
    case 'waiting':
      screen.print([
        `The run "${run}" waits for you. Bring it up again with ${again}, and from another terminal give the command above.`,
      ]);
      return 1;
    case 'stopped':
      screen.print([`Stopped. ${goOn}`]);
      return INTERRUPTED;
  }
}

async function results(
  { run, state, store, another }: Start,
  stack: Stack,
  result: CurriculumResult,
): Promise<string[]> {
  const { policy, evaluations } = result;
  const opened = await openStore(store);
  const isAdapter = ADAPTER_WEIGHTS_FILE in (await opened.fileSizes(policy.uri));
  return [
    '',
    ...evaluationTable(evaluations),
    '',
    ...(await heldOutQuestion(opened, evaluations)),
    '',
    `Policy   ${opened.placeOf(policy.uri)}`,
    `sha256   ${policy.sha256} (${isAdapter ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE})`,
    `Log      ${logsOf(state)}`,
    `Page     ${nextCommand('ui')}`,
    `UI       ${stack.ui}/namespaces/default/workflows/${run} (while \`${nextCommand('up')}\` runs)`,
    `Export   ${nextCommand('export', run, 'FOLDER')}`,
    `A new run: ${another}`,
  ];
}
