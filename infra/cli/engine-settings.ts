/** Flags for how an engine uses its machine; what is left out comes from the environment, else from the machine. */
import { type Command, InvalidArgumentError } from 'commander';
import { type EngineSettings, parseSetting } from '../../activities/engine/process/index.js';

const FLAGS: { [K in keyof EngineSettings]: { value: string; help: string } } = {
  threads: { value: '<n>', help: 'threads of the engine; results do not depend on it (default: one a core)' },
  memory: {
    value: '<size>',
    help: 'what a backward pass may keep, e.g. 6GiB; beyond, activations are computed again; results do not depend on it (default: a third of what is free at the start)',
  },
  provider: { value: '<name>', help: "onnxruntime's execution provider: cpu, cuda or webgpu (default: cpu)" },
  silence: {
    value: '<seconds>',
    help: 'an engine that shows no progress for so long is taken for hung: ended, its work done again (default: 3600)',
  },
};

const NAMES = Object.keys(FLAGS) as (keyof EngineSettings)[];

export function withEngineSettings(command: Command): Command {
  for (const name of NAMES)
    command.option(`--${name} ${FLAGS[name].value}`, FLAGS[name].help, text => {
      try {
        return parseSetting(name, text, `--${name}`);
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message);
      }
    });
  return command;
}

/** The settings among a command's flags. */
export function engineSettingsOf(flags: Partial<EngineSettings>): Partial<EngineSettings> {
  return Object.fromEntries(NAMES.filter(name => flags[name] !== undefined).map(name => [name, flags[name]]));
}
