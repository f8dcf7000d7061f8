/** What `npm run chaos` takes: does a run under faults end with the same bits? */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CHECKOUT } from '../checkout.js';
import { positive } from '../cli/engine/numbers.js';
import { loadSpec } from '../specs/spec-files.js';
import { UserError } from '../user-error.js';
import { FAULT_KINDS, NEEDS, type Need, struckBy } from './faults/index.js';
import { chaos, ENGINE_SILENCE_SECONDS } from './run.js';
import { storeChoice } from './stores/open.js';

/** The preset that is the harness's own. */
const SMALL = join(CHECKOUT, 'infra', 'chaos', 'small.yaml');

const NEEDED: Record<Need, string> = {
  judge: '--judge',
  link: '--store gateway or s3://BUCKET/PREFIX',
  gateway: '--store gateway',
  service: 'a training service: npm run trial -- tinker',
};

interface Flags {
  faults: number | { everySteps: number };
  judge: boolean;
  seed?: number[];
  preset: string;
  kinds?: string[];
  silence: number;
  store: string;
  set: string[];
  json?: string;
  keep?: string;
}

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number from 0');
  return Number(text);
};

/** "100", or "10%" of the run's steps. */
function faultsOf(text: string): Flags['faults'] {
  const [, share] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (share === undefined) return whole(text);
  if (Number(share) <= 0 || Number(share) > 100)
    throw new InvalidArgumentError('expected more than 0 % and 100 % at most');
  return { everySteps: 100 / Number(share) };
}

export function chaosCommand(): Command {
  return new Command('npm run chaos --')
    .description(
      'Runs a curriculum on a real server and four workers while faults strike it, and compares it with an undisturbed run.',
    )
    .option('--faults <n>', 'how many faults, or in what share of the steps ("10%")', faultsOf, 100)
    .option(
      '--seed <n...>',
      'decides which faults, when and on what; a trial for each, all compared with one undisturbed run',
      (text, before: number[] | undefined) => [...(before ?? []), whole(text)],
    )
    .option('--preset <name>', 'preset or spec file; "small" is a short one made for this', 'tiny')
    .option(
      '--set <path=value>',
      'lay a value over the spec (repeatable)',
      (text, before: string[]) => [...before, text],
      [],
    )
    .addOption(
      new Option(
        '--kinds <kinds...>',
        'only these kinds of faults (lose-server, for a minute and more, strikes only if named)',
      ).choices(Object.keys(FAULT_KINDS)),
    )
    .option(
      '--silence <seconds>',
      'after how long an engine without progress is taken for hung; longer where other work keeps engines from starting in time',
      positive,
      ENGINE_SILENCE_SECONDS,
    )
    .option(
      '--store <store>',
      'what the disturbed runs are on: a folder, the bucket of a "gateway" of its own, or s3://BUCKET/PREFIX on the server ' +
        'at AWS_ENDPOINT_URL_S3 (http://)',
      'folder',
    )
    .option('--judge', 'have a judge asked too, which may go away as well', false)
    .option('--json <file>', 'write the report there')
    .option(
      '--keep <folder>',
      'a folder for databases, stores and logs, left there afterwards: further seeds need no other undisturbed run',
    )
    .showHelpAfterError('(add --help for what there is)')
    .action(async (flags: Flags) => {
      const nameOrFile = flags.preset === 'small' ? SMALL : flags.preset;
      const { spec } = await loadSpec(nameOrFile, flags.set, process.cwd());
      const folder = flags.keep ? resolve(flags.keep) : await mkdtemp(join(tmpdir(), 'longhaul-chaos-'));
      await mkdir(folder, { recursive: true });
      const say = (line: string) => void process.stdout.write(`${line}\n`);
      const { faults, seed: seeds = [1], preset, kinds, silence, judge } = flags;
      const store = storeChoice(flags.store);
      const has = struckBy({ judge, store });
      const without = kinds?.find(kind => NEEDS[kind] && !has[NEEDS[kind]]);
      if (without) throw new UserError(`--kinds ${without} needs ${NEEDED[NEEDS[without]!]}`);
      const options = { folder, spec, preset, faults, seeds, judge, store, silence, say };
      const reports = await chaos({ ...options, ...(kinds && { kinds }) });
      if (flags.json) await writeFile(flags.json, `${JSON.stringify(reports, null, 1)}\n`);
      process.exitCode = reports.every(({ violations }) => violations.length === 0) ? 0 : 1;
      if (!flags.keep && process.exitCode === 0) await rm(folder, { recursive: true, force: true });
      else say(`databases, stores and logs: ${folder}`);
    });
}
