/** `npm run trial -- tinker`: longhaul's engine kind `tinker` on a real SkyRL, whose environment is made here. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { typed } from '../../bench/typed-path.js';
import { PRESETS } from '../../checkout.js';
import { atLeastOne } from '../../cli/engine/numbers.js';
import { curriculum } from './curriculum.js';
import { engineCases } from './engine-cases.js';
import { type ServerEnvironment, serverEnvironment } from './environment.js';
import { type FaultOptions, faulted } from './faulted.js';
import { pageText, screenText } from './page.js';
import type { Found, Part, Row } from './rows.js';
import { type Say, warmBase } from './runs.js';
import { serverCases } from './server-cases.js';
import { SkyRl } from './skyrl.js';

interface PartKind {
  title: string;
  /** What the server serves, made in a folder where it is not there yet. */
  base(folder: string, say: Say): Promise<string>;
  /** Null where it has to be gone on with another time. */
  run(options: FaultOptions): Promise<Found | null>;
}

const tinyBase = async (): Promise<string> => join(PRESETS, 'tiny', 'base');

const timed =
  (work: (options: FaultOptions) => Promise<Row[]>): PartKind['run'] =>
  async options => {
    const began = performance.now();
    const rows = await work(options);
    return { rows, seconds: (performance.now() - began) / 1000 };
  };

const PARTS: Record<string, PartKind> = {
  cases: {
    title: 'What the server does where one could think otherwise',
    base: tinyBase,
    run: timed(({ server, say }) => serverCases(server, say)),
  },
  engine: {
    title: 'Our own engine and the service, on equal requests',
    base: tinyBase,
    run: timed(({ server, say }) => engineCases(server, say)),
  },
  curriculum: { title: 'A shortened tiny curriculum, end to end', base: warmBase, run: timed(curriculum) },
  faults: { title: 'The same under faults', base: warmBase, run: faulted },
};

/** What a part came to, in its folder. */
const KEPT = 'rows.json';
const WARM = 'warm';

interface Flags {
  only?: string[];
  faults: number;
  seed: number;
  minutes: number;
  keep?: string;
  page?: string;
}

export function addTinkerTrial(command: Command): void {
  command
    .description('the engine kind tinker on a real SkyRL with its JAX backend on the processor')
    .addOption(new Option('--only <parts...>', 'only these parts').choices(Object.keys(PARTS)))
    .option('--faults <n>', 'how many faults strike the run', atLeastOne, 40)
    .option('--seed <n>', 'decides which, when and on what', atLeastOne, 1)
    .option('--minutes <n>', 'no fault strikes later: the same command with --keep goes on with it', atLeastOne, 1e4)
    .option('--keep <folder>', "a folder for the servers' and the runs' files, left there afterwards")
    .option('--page <file>', 'write a page there, with the parts that --keep has from earlier')
    .addHelpText(
      'after',
      `\nParts:\n${Object.entries(PARTS)
        .map(([name, { title }]) => `  ${name.padEnd(12)}${title}`)
        .join('\n')}`,
    )
    .action(tinkerTrial);
}

async function tinkerTrial({ only = Object.keys(PARTS), keep, page, ...flags }: Flags): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const environment = await serverEnvironment(say);
  const folder = keep ? typed(keep) : await mkdtemp(join(tmpdir(), 'longhaul-tinker-'));
  await mkdir(folder, { recursive: true });
  const parts: Part[] = [];
  for (const name of Object.keys(PARTS).filter(name => only.includes(name))) {
    say(`\n${PARTS[name]!.title}`);
    const own = join(folder, name);
    const part = await onServer(name, environment, join(folder, WARM), { ...flags, folder: own, say });
    if (!part) continue;
    await writeFile(join(own, KEPT), `${JSON.stringify(part, null, 1)}\n`);
    parts.push(part);
  }
  process.stdout.write(`\n${screenText(parts)}\n`);
  if (page) await writeFile(typed(page), pageText(await partsIn(folder)));
  const held = parts.length === only.length && parts.every(({ rows }) => rows.every(({ holds }) => holds));
  if (!held) process.exitCode = 1;
  if (!keep && held) await rm(folder, { recursive: true, force: true });
  else say(`files: ${folder}`);
}

async function onServer(
  name: string,
  environment: ServerEnvironment,
  warm: string,
  options: Omit<FaultOptions, 'server'>,
): Promise<Part | null> {
  const { title, ...part } = PARTS[name]!;
  const base = await part.base(warm, options.say);
  const server = await SkyRl.start({ environment, folder: join(options.folder, 'server'), base });
  try {
    const found = await part.run({ ...options, server });
    return found && { title, ...found, date: new Date().toISOString().slice(0, 10) };
  } finally {
    await server.stop();
  }
}

/** Of this trial and of earlier ones in the folder, in the table's order. */
async function partsIn(folder: string): Promise<Part[]> {
  const texts = await Promise.all(
    Object.keys(PARTS).map(name => readFile(join(folder, name, KEPT), 'utf8').catch(() => null)),
  );
  return texts.flatMap(text => (text === null ? [] : [JSON.parse(text) as Part]));
}
