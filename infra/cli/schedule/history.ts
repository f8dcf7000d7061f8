/** `longhaul schedule history`: what the firings came to, from the store alone. */
import { Command, Option } from 'commander';
import { recordsOf } from '../../../activities/evaluation/index.js';
import { openStore } from '../../../activities/store/index.js';
import { historyLines, REGRESSION } from '../../evaluations/history.js';
import { UserError } from '../../user-error.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from '../options.js';

type HistoryFlags = StoreFlags & StateFlags & { format: 'text' | 'json' };

export function historyCommand(): Command {
  return withStateFlag(withStoreFlag(new Command('history').argument('<name>', 'name of the schedule')))
    .description(`the firings of a schedule; exits with ${REGRESSION} when the last one regressed beyond the noise`)
    .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'))
    .action(async (name: string, flags: HistoryFlags) => {
      const store = await openStore(storeOf(flags));
      const records = (await recordsOf(store, name))
        .map(({ record }) => record)
        .filter(record => record.schedule !== null);
      const last = records.at(-1);
      if (!last) {
        throw new UserError(
          `The store at ${store.root} has no finished firing of "${name}". Is it another store (--store, LONGHAUL_STORE)?`,
        );
      }
      const lines =
        flags.format === 'json'
          ? [
              JSON.stringify(
                records.map(({ sets, ...rest }) => ({ ...rest, rows: sets.map(({ row }) => row) })),
                null,
                1,
              ),
            ]
          : historyLines(records);
      process.stdout.write(lines.map(line => `${line}\n`).join(''));
      process.exitCode = last.regression ? REGRESSION : 0;
    });
}
