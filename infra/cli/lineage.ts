/** `longhaul lineage`: how a policy came to be, from the base on. */
import { Command } from 'commander';
import { codeText } from '../../activities/provenance/index.js';
import { hashOf, openStore, type Store, storeUri } from '../../activities/store/index.js';
import { type Lineage, lineageOf, type Stretch } from '../proof/lineage.js';
import { UserError } from '../user-error.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';

type LineageFlags = StoreFlags & StateFlags & { run?: string; json?: boolean };

export function lineageCommand(): Command {
  const command = new Command('lineage').argument('<policy>', "a policy's name, or the first characters of it");
  return withStateFlag(withStoreFlag(command))
    .option('--run <run>', 'look in this run alone')
    .option('--json', 'everything, as JSON')
    .description('print the chain from the base to a policy: steps, settings, hashes of the data, version of the code')
    .action(async (policy: string, flags: LineageFlags) => {
      const store = await openStore(storeOf(flags));
      const lineage = await search(store, policy, flags.run);
      process.stdout.write(flags.json ? `${JSON.stringify(lineage, null, 1)}\n` : text(lineage));
    });
}

async function search(store: Store, policy: string, run: string | undefined): Promise<Lineage> {
  const runs = run === undefined ? await store.list(storeUri('runs')) : [run];
  const found: Lineage[] = [];
  for (const name of runs) {
    const lineage = await lineageOf(store, name, policy);
    if (lineage) found.push(lineage);
  }
  if (found.length === 1) return found[0]!;
  const looked = run === undefined ? `the ${runs.length} runs of this store` : `the run "${run}"`;
  throw new UserError(
    found.length === 0
      ? `No one policy is named ${policy}… in ${looked}. Names are in steps.jsonl, update.json and progress; give more of it, or another --store.`
      : `${policy} is a policy of ${found.map(lineage => `"${lineage.run}"`).join(', ')}: choose one with --run.`,
  );
}

function text({ run, base, stretches }: Lineage): string {
  const lines = [`run ${run}`, `base ${base.name}`, `  weights sha256 ${base.sha256}`];
  for (const stretch of stretches) lines.push(...described(stretch, run));
  return `${lines.join('\n')}\n`;
}

function described(
  { run: of, stage, attempt, from, to, policy, settings, data, code }: Stretch,
  run: string,
): string[] {
  const { kind, optimizer, ...rest } = settings;
  return [
    `${of === run ? '' : `${of}/`}${stage}${attempt > 1 ? ` attempt ${attempt}` : ''}, ${from === to ? `step ${from}` : `steps ${from} to ${to}`} -> policy ${policy.name}`,
    `  weights sha256 ${policy.sha256}`,
    `  ${kind}, ${JSON.stringify({ ...rest, optimizer })}`,
    // Many files as one hash: --json has each.
    `  data sha256 ${data.length === 1 ? data[0] : `${hashOf(data)} (over ${data.length} files)`}`,
    `  code ${code ? codeText(code) : 'not recorded'}`,
  ];
}
