/** `longhaul store check`: whether all that was published is as it was. */
import { Command } from 'commander';
import { isAside, openInventory } from '../../../activities/store/index.js';
import { nextCommand } from '../../local/command-lines.js';
import { screenOn } from '../../view/screen.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from '../options.js';
import { bytesText, counted } from './bytes.js';

export function checkCommand(): Command {
  return withStateFlag(withStoreFlag(new Command('check')))
    .description('read all of a store and compare it with the hashes it was published with; changes nothing')
    .addHelpText(
      'after',
      '\nEnds with 1 where something is damaged. A run that needs it makes it again, from its log where that is whole.',
    )
    .action(async (flags: StoreFlags & StateFlags) => {
      const inventory = await openInventory(storeOf(flags));
      await inventory.store.open();
      const screen = screenOn(process.stdout);
      const seen = { whole: 0, bytes: 0, unknown: 0, aside: 0 };
      const damaged: string[] = [];
      for await (const entry of inventory.entries()) {
        if (isAside(entry.uri)) {
          seen.aside++;
          continue;
        }
        const why = await inventory.damageOf(entry);
        if (why) {
          damaged.push(entry.uri);
          screen.print([`${entry.uri}: ${why}`]);
          continue;
        }
        seen[entry.sum ? 'whole' : 'unknown']++;
        seen.bytes += entry.bytes ?? 0;
        screen.draw([`${counted(seen.whole, 'artifact')} whole, ${bytesText(seen.bytes)}`]);
      }
      const leftovers = await inventory.leftovers();
      screen.print([
        `${counted(seen.whole, 'artifact')} whole, ${damaged.length} damaged (${bytesText(seen.bytes)} read)`,
        ...(seen.unknown > 0
          ? [`${seen.unknown} whose hash is not known: published by an earlier version, or just now`]
          : []),
        ...(seen.aside > 0 ? [`${seen.aside} set aside as damaged, for inspection`] : []),
        ...(leftovers.length > 0
          ? [`${leftovers.length} not finished by their writers: ${nextCommand('store du')}`]
          : []),
      ]);
      if (damaged.length > 0) process.exitCode = 1;
    });
}
