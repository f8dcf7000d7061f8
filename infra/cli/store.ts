/** `longhaul store`: begins a store that workers share. */
import { Command } from 'commander';
import { openStore } from '../../activities/store/index.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';

export function storeCommand(): Command {
  const create = withStateFlag(withStoreFlag(new Command('create')))
    .description('begin a store; one that is there already is left as it is')
    .action(async (flags: StoreFlags & StateFlags) => {
      const store = await openStore(storeOf(flags));
      await store.create();
      process.stdout.write(`${store.root} is a store: workers take it with --store ${store.root}\n`);
    });
  return new Command('store')
    .description('the artifacts that workers share; the local stack makes its own')
    .addCommand(create);
}
