/**
 * `npm run trial -- families`: 10,000 samples of each generated family, the same bytes as ever, in other processes too,
 * and no answer in a question.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { type DataSource, dataSourceSchema } from '../../../activities/datasets/index.js';
import { CHECKOUT } from '../../checkout.js';
import { type Drawn, draw } from './family.js';
import { writeTexts } from './made-up-texts.js';

const SAMPLES = 10_000;
const EXPECTED = join(CHECKOUT, 'infra', 'trials', 'families', 'expected.json');
const TEXTS = { reconstruct: 1, quote: 8, count: 8, compare: 8 };
/** In words: room for the longest question and a text around it. */
const LENGTH = 400;
const RULER = { type: 'ruler', count: SAMPLES, upTo: LENGTH, seed: 1 };
/** All that there are: what a source has that names none. */
const { tasks: TASKS } = dataSourceSchema.parse(RULER) as Extract<DataSource, { type: 'ruler' }>;
/** What one guess may be right for by chance, and a few standard deviations: of as many answers as the family has. */
const CHANCE: Record<string, number> = { reconstruct: 1 / 24, count: 1 / 2, compare: 1 / 2 };
const DEVIATIONS = 5;

/** Another place and language: nothing of a sample may depend on them. */
const ELSEWHERE = { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

export function addFamiliesTrial(command: Command): void {
  command
    .description('10,000 samples of each generated family: hashes as committed, answers not to be guessed')
    .option('--write', 'writes the hashes instead of comparing them')
    .option('--family <name>', 'prints one family alone, as JSON')
    .option('--texts <file>', 'with --family: where the made-up texts lie')
    .action(async ({ write, family, texts }: { write?: boolean; family?: string; texts?: string }) => {
      if (family !== undefined) {
        say(JSON.stringify(await draw(family, sourceOf(family, texts!), SAMPLES)));
        return;
      }
      const folder = await mkdtemp(join(tmpdir(), 'longhaul-families-'));
      try {
        process.exitCode = (await tryAll(folder, write === true)) ? 0 : 1;
      } finally {
        await rm(folder, { recursive: true });
      }
    });
}

async function tryAll(folder: string, write: boolean): Promise<boolean> {
  const texts = join(folder, 'texts.jsonl');
  await writeTexts(texts, SAMPLES + 1000);
  const known = write ? {} : (JSON.parse(await readFile(EXPECTED, 'utf8')) as Record<string, string>);
  const found: Record<string, string> = {};
  let good = true;
  for (const family of [...Object.keys(TEXTS), ...TASKS]) {
    const began = performance.now();
    const here = await draw(family, sourceOf(family, texts), SAMPLES);
    const there = await elsewhere(family, texts);
    const seconds = (performance.now() - began) / 1000;
    found[family] = here.sha256;
    const problems = [
      ...(here.sha256 === there.sha256 ? [] : ['other bytes in another process']),
      ...(write || here.sha256 === known[family] ? [] : ['other bytes than committed']),
      ...(here.told === 0 ? [] : [`${here.told} questions hold an answer`]),
      ...(here.bestGuess <= mostByChance(family) ? [] : ['guessed too often']),
    ];
    good &&= problems.length === 0;
    const guess = `best guess ${(100 * here.bestGuess).toFixed(2)} % (${here.guess.slice(0, 40)})`;
    const verdict = problems.length === 0 ? 'good' : problems.join(', ');
    say(`${family}: ${here.samples} samples, ${guess}, ${seconds.toFixed(1)} s: ${verdict}`);
  }
  if (write) await writeFile(EXPECTED, `${JSON.stringify(found, null, 2)}\n`);
  return good;
}

function mostByChance(family: string): number {
  const chance = CHANCE[family] ?? 0.001;
  return chance + DEVIATIONS * Math.sqrt((chance * (1 - chance)) / SAMPLES);
}

function sourceOf(family: string, path: string): DataSource {
  const questions = TEXTS[family as keyof typeof TEXTS];
  return dataSourceSchema.parse(
    questions === undefined
      ? { ...RULER, tasks: [family] }
      : { type: 'texts', path, families: [family], questions, seed: 1 },
  );
}

async function elsewhere(family: string, texts: string): Promise<Drawn> {
  const args = [process.argv[1]!, 'families', '--family', family, '--texts', texts];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...ELSEWHERE } });
  return JSON.parse(stdout) as Drawn;
}
