/**
 * Every command in the README and docs/ is one that the program takes, with flags that it has and settings that the schema
 * takes. Those in `console` blocks are run, and what stands below them is what they print.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { validateSpec } from '../../activities/spec/index';
import { benchCommand } from '../../infra/bench/command';
import { chaosCommand } from '../../infra/chaos/command';
import { main, program } from '../../infra/cli/main';
import { findTemporal } from '../../infra/local/temporal-binary';
import { listPresets, loadSpec, readPreset } from '../../infra/specs/spec-files';
import { trialCommand } from '../../infra/trials/command';
import { scripts } from '../../package.json';
import { pages, ROOT } from '../support/pages';
import { commandsOf, type ParsedCommand, parseCommand, wordsOf } from '../support/shell';

const PAGES = pages();

interface Shown {
  at: string;
  words: string[];
}

const IN_BLOCKS: Shown[] = PAGES.flatMap(({ file, blocks }) =>
  blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text, line }) => commandsOf(text).map(words => ({ at: `${file}:${line}`, words }))),
);
/** In running text and tables, where a command may be named without its arguments. */
const IN_TEXT: Shown[] = PAGES.flatMap(({ file, codes }) =>
  codes
    .filter(({ text }) => /^(npx longhaul|longhaul|npm|temporal) /.test(text) && !text.startsWith('temporal.'))
    .map(({ text, line }) => ({ at: `${file}:${line}`, words: [...wordsOf(text), '…'] })),
);

/** What a command comes to. */
interface Meaning {
  longhaul?: ParsedCommand;
  /** The words that the Temporal CLI gets. */
  temporal?: string[];
}

/** What a command line begins with, and how the rest is read. Whatever is wrong with it is thrown. */
const PROGRAMS: [string[], (rest: string[]) => Meaning][] = [
  [['npx', 'longhaul'], longhaul],
  [['longhaul'], longhaul],
  [['temporal'], words => ({ temporal: words })],
  [['npm', 'start'], rest => longhaul(['start', ...rest.filter(word => word !== '--')])],
  [['npm', 'test'], rest => existing(rest.filter(word => word !== '--' && word !== '…'))],
  [['npm', 'run'], npmRun],
  [['npm', 'config'], () => ({})],
  [['docker'], container],
  [['kubectl'], container],
  [['node'], ([script]) => existing([script!.replace(/^dist\/(.*)\.js$/, '$1.ts')])],
];

function meaningOf(words: string[]): Meaning {
  const known = words.slice(words.findIndex(word => !/^[A-Z_][A-Z0-9_]*=/.test(word)));
  const found = PROGRAMS.find(([begin]) => begin.every((word, k) => known[k] === word));
  if (!found) throw new Error(`no test knows the command ${known.slice(0, 2).join(' ')}`);
  return found[1](known.slice(found[0].length));
}

function longhaul(words: string[]): Meaning {
  const parsed = parseCommand(program(), words);
  return { longhaul: parsed, ...(parsed.path[0] === 'temporal' && { temporal: parsed.args }) };
}

function existing(paths: string[]): Meaning {
  const missing = paths.filter(path => !existsSync(join(ROOT, path)));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(', ')}`);
  return {};
}

/** Files of the checkout that the command names, and the longhaul command that it runs within. */
function container(words: string[]): Meaning {
  existing(words.filter(word => word.startsWith('infra/')));
  const within = words.lastIndexOf('longhaul');
  return ['--', '--rm'].includes(words[within - 1]!) ? longhaul(words.slice(within + 1)) : {};
}

/** What stands behind a script and takes what follows `--`. */
const SCRIPTS: Record<string, () => Command> = { chaos: chaosCommand, bench: benchCommand, trial: trialCommand };

function npmRun([script, ...args]: string[]): Meaning {
  if (!(script! in scripts)) throw new Error(`package.json has no script ${script}`);
  const behind = SCRIPTS[script!];
  if (behind && args[0] === '--') parseCommand(behind(), args.slice(1));
  return {};
}

test.each(IN_BLOCKS)('$at: $words', ({ words }) => void meaningOf(words));
test.each(IN_TEXT)('$at: $words, in the text', ({ words }) => void meaningOf(words));

/** Those that mean something: what is wrong with others is said by their own tests. */
const MEANINGS = [...IN_BLOCKS, ...IN_TEXT].flatMap(({ at, words }) => {
  try {
    return [{ at, ...meaningOf(words) }];
  } catch {
    return [];
  }
});

test('every flag that is named alone is one of some command', () => {
  const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)];
  const all = [program(), chaosCommand(), benchCommand(), trialCommand()].flatMap(below);
  const flags = new Set(all.flatMap(({ options }) => options.map(({ long }) => long)));
  const unknown = PAGES.flatMap(({ file, codes }) =>
    codes.flatMap(({ text, line }) => {
      const [flag] = /^--[\w-]+(?=$|[ =])/.exec(text) ?? [];
      return flag === undefined || flag === '--help' || flags.has(flag) ? [] : [`${file}:${line}: ${flag}`];
    }),
  );
  expect(unknown).toEqual([]);
});

describe('settings', () => {
  const set = MEANINGS.flatMap(({ at, longhaul: command }) => {
    const lines = command?.options.get('--set');
    if (!lines || !['start', 'run', 'data inspect'].includes(command!.path.join(' '))) return [];
    const spec = command!.args[0] ?? command!.options.get('--from')?.[0]?.split('/')[0] ?? 'tiny';
    return [{ at, spec, lines }];
  });
  const inputs = MEANINGS.flatMap(({ at, temporal }) => {
    const k = temporal?.indexOf('--input') ?? -1;
    return k < 0 ? [] : [{ at, input: temporal![k + 1]! }];
  });

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-docs-'));
    const own = {
      model: 'm',
      data: [{ type: 'jsonl', path: 'train.jsonl' }],
      rl: { optimizer: { learningRate: 1e-5 }, sampling: { maxNewTokens: 64 } },
      phases: [512, 1024, 2048].map(maxTokens => ({ maxTokens, steps: 10 })),
    };
    await writeFile(join(folder, 'my.json'), JSON.stringify(own));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(set)('$at: --set $lines over $spec', async ({ spec, lines }) => {
    await loadSpec((await listPresets()).includes(spec) ? spec : './my.json', lines, folder);
  });

  test.each(inputs)('$at: --input $input', async ({ input }) => {
    const { overrides = {} } = JSON.parse(input) as { overrides?: Record<string, unknown> };
    validateSpec(await readPreset('tiny'), overrides);
  });

  test('there are some of each', () => {
    expect(set.length).toBeGreaterThan(5);
    expect(inputs.length).toBeGreaterThan(3);
  });
});

test('the Temporal CLI has every command and flag that is shown', async () => {
  const shown = MEANINGS.flatMap(({ at, temporal }) => (temporal ? [{ at, words: temporal }] : []));
  expect(shown.length).toBeGreaterThan(10);
  const binary = await findTemporal();
  const usages = new Map<string, string>();
  for (const { at, words } of shown) {
    const end = words.findIndex(word => word.startsWith('-') || word === '…');
    const path = end < 0 ? words : words.slice(0, end);
    const command = ['temporal', ...path].join(' ');
    const usage = usages.get(command) ?? (await promisify(execFile)(binary, [...path, '--help'])).stdout;
    usages.set(command, usage);
    // Of a command that is not there it prints the help of the one above.
    expect(`${at}: ${usage}`).toContain(`${command} [`);
    const flags = words.filter(word => word.startsWith('--'));
    expect({ at, missing: flags.filter(flag => !usage.includes(`${flag} `)) }).toEqual({ at, missing: [] });
  }
});

describe('what is printed', () => {
  const consoles = PAGES.flatMap(({ file, blocks }) =>
    blocks.filter(({ language }) => language === 'console').map(({ text, line }) => ({ at: `${file}:${line}`, text })),
  );

  test('is shown by more than one page', () => expect(consoles.length).toBeGreaterThan(1));

  /** A line of `…` stands for any lines. */
  test.each(consoles)('$at', async ({ text }) => {
    const [prompt, ...below] = text.trimEnd().split('\n');
    expect(prompt).toMatch(/^\$ npx longhaul /);
    const printed = await outputOf(wordsOf(prompt!.replace('$ npx longhaul ', '')));
    const pieces = below.join('\n').split(/^…$/m);
    const pattern = pieces.map(piece => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^]*');
    expect(printed.trim()).toMatch(new RegExp(`^${pattern}$`));
  });
});

async function outputOf(words: string[]): Promise<string> {
  if (words.at(-1) === '--help') return helpOf(words.slice(0, -1));
  let printed = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    printed += String(chunk);
    return true;
  });
  try {
    expect(await main(['node', 'longhaul', ...words])).toBe(0);
  } finally {
    write.mockRestore();
  }
  return printed;
}

/** As it is printed where standard output is no terminal. */
function helpOf(path: string[]): string {
  const named = path.reduce((at, name) => at.commands.find(below => below.name() === name)!, program());
  return named.configureOutput({ getOutHelpWidth: () => 80 }).helpInformation();
}
