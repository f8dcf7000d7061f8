/** `longhaul temporal …`: the Temporal CLI that longhaul found or built, pointed at the local stack when one runs. */
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { profileOf, runningStack } from '../local/stack.js';
import { findTemporal } from '../local/temporal-binary.js';
import { type StateFlags, stateOf, withStateFlag } from './options.js';

export function temporalCommand(): Command {
  return withStateFlag(new Command('temporal'))
    .description('the Temporal CLI, pointed at the local stack when one runs and TEMPORAL_ADDRESS is not set')
    .argument('[arguments...]', 'passed on as they are')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[], flags: StateFlags) => {
      const program = await findTemporal({ log: line => process.stderr.write(`${line}\n`) });
      process.exitCode = await passOn(program, args, stateOf(flags));
    });
}

function passOn(program: string, args: string[], state: string): Promise<number> {
  const chosen = process.env.TEMPORAL_ADDRESS ?? process.env.TEMPORAL_CONFIG_FILE ?? process.env.TEMPORAL_PROFILE;
  const local = chosen === undefined && runningStack(state) ? { TEMPORAL_CONFIG_FILE: profileOf(state) } : {};
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...local } });
  process.on('SIGINT', () => {}); // the terminal tells the program itself; its end is ours
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? 1));
  });
}
