/** The `longhaul` command: puts the commands together and turns errors into words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { CHECKOUT } from '../checkout.js';
import { rememberCommand } from '../local/command-lines.js';
import { COMMANDS } from './commands.js';
import type { isPlain } from './plain-errors.js';

/** Runs one command line and gives its exit code. */
export async function main(argv: string[]): Promise<number> {
  try {
    await program(argv[2]).parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const plain: { isPlain: typeof isPlain } = require('./plain-errors.js');
    const text = plain.isPlain(error) ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    return 1;
  }
}

/** Every command with its flags, before any is run; of a command that there is, that one alone. */
export function program(name?: string): Command {
  const named = name === undefined ? undefined : COMMANDS[name];
  const longhaul = new Command('longhaul')
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
        '                 longhaul show tiny          the responses of its last step\n' +
        '                 longhaul ui                 the same and more, in a browser\n' +
        '                 longhaul export tiny DIR    its policy, as a Hugging Face folder',
    )
    .enablePositionalOptions() // so that `longhaul temporal …` passes on what looks like an option
    .showHelpAfterError('(add --help for what there is)');
  longhaul.hook('preAction', (_, command) => rememberCommand(command));
  for (const command of named ? [named] : Object.values(COMMANDS)) longhaul.addCommand(command());
  return longhaul;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
  return version;
}
