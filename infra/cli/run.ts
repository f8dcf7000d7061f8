/** `longhaul run`: starts a run on whatever server is configured. */
import { Command } from 'commander';
import type { EngineKind } from '../../activities/contract/index.js';
import { isBranch } from '../../activities/run/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import { withoutWorkers } from '../local/awaited-workers.js';
import { beginRun } from '../local/begin-run.js';
import { nextCommand } from '../local/command-lines.js';
import { askedRun, type SpecFlags, sayHowItBegan, withClient, withConnectionFlags, withRunFlags } from './options.js';

export function runCommand(): Command {
  return withConnectionFlags(withRunFlags(new Command('run').argument('[preset-or-file]', 'preset or spec file')))
    .description('start a run on the configured server, and leave it to the workers there')
    .addHelpText(
      'after',
      '\nPaths in the spec become absolute: the workers must see the same files, or the model be an hf: name.\n\n' +
        'Examples:\n  longhaul run tiny --set seed=2 --name tiny-2\n  longhaul run --from tiny/phase-3 --name tiny-warmer --set rl.sampling.temperature=1.2\n  longhaul run my.yaml --address temporal.example.com:7233 --namespace rl',
    )
    .action(async (nameOrFile: string | undefined, flags: ConnectionFlags & SpecFlags) => {
      const { run, input } = await askedRun(nameOrFile, flags);
      await withClient(flags, async client => {
        const begun = await beginRun(client, run, input);
        const lines = [sayHowItBegan(run, begun, flags), `Watch it: ${nextCommand('watch', run)}`];
        // A branch's engine is the run's that it goes on from, which the store knows.
        const engines: EngineKind[] = isBranch(input) ? [] : [(input as RunSpec).engine.kind ?? 'onnx'];
        process.stdout.write(`${[...lines, ...(await withoutWorkers(client, engines))].join('\n')}\n`);
      });
    });
}
