/** `longhaul up`: the local stack alone, until Ctrl-C. */
import { once } from 'node:events';
import { Command } from 'commander';
import { nextCommand, rememberLocalServer } from '../local/command-lines.js';
import { logsOf, metricsUrls, type Stack, startStack } from '../local/stack.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { type PageFlags, portOf, type StackFlags, stateOf, storeOf, withPageFlag, withStackFlags } from './options.js';
import { STACK_METRICS, type TelemetryFlags, telemetryOf, withTelemetryFlags } from './telemetry-flags.js';

export function upCommand(): Command {
  return withTelemetryFlags(withPageFlag(withStackFlags(new Command('up'))), STACK_METRICS)
    .description('a local Temporal server with its UI and both workers, until Ctrl-C')
    .addHelpText(
      'after',
      '\nThen, from another terminal:\n  longhaul run tiny\n  longhaul watch tiny\n  longhaul temporal workflow list',
    )
    .action(async (flags: StackFlags & PageFlags & TelemetryFlags) => {
      process.exitCode = await up(flags);
    });
}

async function up(flags: StackFlags & PageFlags & TelemetryFlags): Promise<number> {
  const telemetry = telemetryOf(flags);
  const state = stateOf(flags);
  const store = storeOf(flags);
  let stack: Stack | null = null;
  const interrupt = onInterrupt(() => {
    stack?.kill();
    process.exit(INTERRUPTED);
  });
  stack = await startStack({
    state,
    store,
    port: portOf(flags.port),
    uiPort: portOf(flags.uiPort),
    telemetry,
    page: { port: portOf(flags.pagePort) },
    log: line => process.stderr.write(`${line}\n`),
  });
  rememberLocalServer(stack.address);
  process.stdout.write(
    `${[
      `server   ${stack.address}`,
      `page     ${stack.page ?? nextCommand('ui')}`,
      `UI       ${stack.ui}`,
      ...(stack.owned ? metricsUrls(telemetry).map(url => `metrics  ${url}`) : []),
      `store    ${store}`,
      `logs     ${logsOf(state)}`,
      stack.owned ? 'Ctrl-C stops it; runs go on where they were when it comes up again.' : 'It runs already.',
    ].join('\n')}\n`,
  );
  if (!stack.owned) return 0;
  if (!interrupt.signal.aborted) await once(interrupt.signal, 'abort');
  process.stderr.write('stopping: the workers hand back their work first (Ctrl-C again ends them at once)\n');
  await stack.stop();
  return 0;
}
