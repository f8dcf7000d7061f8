/** `longhaul store sweep`: removes what writers left that were killed. */
import { Command } from 'commander';
import { openInventory } from '../../../activities/store/index.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from '../options.js';
import { bytesText } from './bytes.js';

export function sweepCommand(): Command {
  return withStateFlag(withStoreFlag(new Command('sweep')))
    .description('remove what killed writers of this machine left unfinished, and those of others after a week')
    .action(async (flags: StoreFlags & StateFlags) => {
      const inventory = await openInventory(storeOf(flags));
      await inventory.store.open();
      const sum = async () => (await inventory.leftovers()).reduce((total, { bytes }) => total + bytes, 0);
      const before = await sum();
      await inventory.store.sweep(0);
      const after = await sum();
      process.stdout.write(`${bytesText(before - after)} removed, ${bytesText(after)} still being written\n`);
    });
}
