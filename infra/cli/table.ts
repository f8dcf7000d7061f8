/** `longhaul table`: models beside one another, from the store alone. */
import { Command, Option } from 'commander';
import { TABLE_FORMATS, type TableFormat, type TableMetric } from '../../activities/benchmarks/index.js';
import { openStore } from '../../activities/store/index.js';
import { modelsTable } from '../evaluations/table.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';

type TableFlags = StoreFlags &
  StateFlags & {
    published?: boolean;
    publishedLater?: boolean;
    baseline?: string;
    metric: TableMetric;
    format: TableFormat;
  };

export function tableCommand(): Command {
  const command = new Command('table').argument(
    '[names...]',
    'evaluations, schedules or runs (default: all there are)',
  );
  return withStateFlag(withStoreFlag(command))
    .description('models beside one another on their benchmarks, and which differences are within the noise')
    .option('--published', "the paper's table (arXiv 2505.17667) beside them, marked as published")
    .option('--published-later', "QwenLong-L1.5's table (arXiv 2512.12967): later models and sets, by a later protocol")
    .option('--baseline <label>', 'the row that the others are compared with (default: the first)')
    .addOption(
      new Option('--metric <metric>', "max(rule, judge), or each benchmark's own official metric")
        .choices(['reward', 'official'])
        .default('reward'),
    )
    .addOption(new Option('--format <format>', 'how to print it').choices(TABLE_FORMATS).default('text'))
    .addHelpText(
      'after',
      '\nDifferences are by paired bootstrap where two models answered the same items (their hash is kept with the results), ' +
        'else\nas between two independent samples, and the table says so.\n\n' +
        'Examples:\n  longhaul table eval --published\n  longhaul table eval my-run --baseline base --format markdown',
    )
    .action(async (names: string[], { baseline, metric, format, ...flags }: TableFlags) => {
      const store = await openStore(storeOf(flags));
      const options = {
        names,
        published: flags.published === true,
        later: flags.publishedLater === true,
        baseline,
        metric,
        format,
      };
      process.stdout.write(await modelsTable(store, options));
    });
}
