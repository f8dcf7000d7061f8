/** Commands as texts show them: taken apart as a shell would, and held against what a program takes. */
import type { Argument, Command, Option } from 'commander';

/** Stands for something left out: what follows is not checked for being complete. */
const ELISION = '…';

/** The commands of a block, each in words, comments gone and lines that end in a backslash joined. */
export function commandsOf(block: string): string[][] {
  return block
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map(wordsOf)
    .filter(words => words.length > 0);
}

/** One line in words: single and double quotes, and a comment to the end of the line. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '' && !rest.startsWith('#')) {
    let word = '';
    while (rest !== '' && !/^\s/.test(rest)) {
      const piece = /^'([^']*)'|^"([^"]*)"|^([^\s'"]+)/.exec(rest);
      if (!piece) throw new Error(`a quotation has no end: ${rest}`);
      word += piece[1] ?? piece[2] ?? piece[3]!;
      rest = rest.slice(piece[0].length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}

export interface ParsedCommand {
  /** Names of the command and those above it. */
  path: string[];
  args: string[];
  /** Values by the option's long name, in their order. */
  options: Map<string, string[]>;
}

/**
 * What a command line means to a commander program, of which nothing is run.
 * @throws Error saying what the program does not take
 */
export function parseCommand(program: Command, words: readonly string[]): ParsedCommand {
  let command = program;
  const path: string[] = [];
  const args: string[] = [];
  const options = new Map<string, string[]>();
  const elided = words.includes(ELISION);
  for (let k = 0; k < words.length && words[k] !== ELISION; k++) {
    const word = words[k]!;
    const below = args.length === 0 ? command.commands.find(c => c.name() === word) : undefined;
    if (below) {
      command = below;
      path.push(word);
      if (passesOn(command)) return { path, args: words.slice(k + 1), options };
    } else if (word.startsWith('-') && word !== '-') {
      if (word === '--help') continue;
      const [name, attached] = word.split('=', 2) as [string, string?];
      const option = command.options.find(o => o.long === name || o.short === name);
      if (!option) throw new Error(`${nameOf(program, path)} has no ${name}`);
      const values = attached !== undefined ? [attached] : valuesAfter(words, k, option);
      if (attached === undefined) k += values.length;
      checkChoices(option, values);
      options.set(option.long!, [...(options.get(option.long!) ?? []), ...values]);
    } else args.push(word);
  }
  if (command.commands.length > 0 && !elided && !words.includes('--help')) {
    throw new Error(`${nameOf(program, path)} has no ${args[0] ?? 'default'} command`);
  }
  checkArguments(nameOf(program, path), command.registeredArguments, args, elided || words.includes('--help'));
  const missing = command.options.filter(option => option.mandatory && !options.has(option.long!));
  if (missing.length > 0 && !elided && !words.includes('--help')) {
    throw new Error(`${nameOf(program, path)} needs ${missing.map(option => option.long).join(', ')}`);
  }
  return { path, args, options };
}

const nameOf = (program: Command, path: string[]): string => [program.name(), ...path].join(' ');

/** A command that hands its words to another program. */
const passesOn = (command: Command): boolean =>
  (command as unknown as { _passThroughOptions: boolean })._passThroughOptions;

function valuesAfter(words: readonly string[], k: number, option: Option): string[] {
  if (option.isBoolean() || option.negate) return [];
  const after = words.slice(k + 1, option.variadic ? undefined : k + 2);
  const next = after.findIndex(word => word.startsWith('--'));
  const values = next < 0 ? after : after.slice(0, next);
  if (values.length === 0 && option.required) throw new Error(`${option.long} needs a value`);
  return values;
}

function checkChoices({ long, argChoices }: Option, values: string[]): void {
  const wrong = argChoices && values.find(value => !argChoices.includes(value));
  if (wrong) throw new Error(`${long}: expected ${argChoices.join(', ')}, found ${wrong}`);
}

function checkArguments(name: string, registered: readonly Argument[], args: string[], partly: boolean): void {
  const least = registered.filter(argument => argument.required).length;
  const most = registered.some(argument => argument.variadic) ? Number.POSITIVE_INFINITY : registered.length;
  if (args.length > most) throw new Error(`${name} takes ${most} arguments at most, found ${args.join(' ')}`);
  if (args.length < least && !partly) throw new Error(`${name} needs ${least} arguments, found ${args.length}`);
  registered.forEach(({ argChoices }, k) => {
    const value = args[k];
    if (value !== undefined && argChoices && !argChoices.includes(value)) {
      throw new Error(`${name}: expected ${argChoices.join(' or ')}, found ${value}`);
    }
  });
}
