/** `longhaul store create`: begins a store. */
import { Command } from 'commander';
import { openStore } from '../../../activities/store/index.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from '../options.js';
import { type ObjectFlags, objectSettingsOf, withObjectFlags } from '../s3-flags.js';

export function createCommand(): Command {
  return withObjectFlags(withStateFlag(withStoreFlag(new Command('create'))))
    .description('begin a store, in a bucket after a trial of its server; one that is there already is left as it is')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul store create --store /mnt/store\n' +
        '  longhaul store create --store s3://my-bucket/rl --region eu-central-1 --sse aws:kms\n' +
        '  longhaul store create --store s3://my-bucket/rl --endpoint-url http://s3.example.com:7070',
    )
    .action(async (flags: StoreFlags & StateFlags & ObjectFlags) => {
      const store = await openStore(storeOf(flags));
      await store.create(objectSettingsOf(store.root, flags));
      process.stdout.write(`${store.root} is a store: workers take it with --store ${store.root}\n`);
    });
}
