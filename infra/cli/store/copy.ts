/** `longhaul store copy`: all of one store into another, of whatever kinds. */
import { Command } from 'commander';
import { copyStore, openInventory } from '../../../activities/store/index.js';
import { nextCommand } from '../../local/command-lines.js';
import { UserError } from '../../user-error.js';
import { screenOn } from '../../view/screen.js';
import { storeOf } from '../options.js';
import { type ObjectFlags, objectSettingsOf, withObjectFlags, withS3Flags } from '../s3-flags.js';
import { bytesText, counted } from './bytes.js';

export function copyCommand(): Command {
  const command = new Command('copy')
    .argument('<from>', 'a folder, or s3://BUCKET/PREFIX')
    .argument('<to>', 'a folder, or s3://BUCKET/PREFIX; begun if there is none');
  return withObjectFlags(withS3Flags(command))
    .description('copy a store, checked by the hashes of what was published; once more, it goes on where it stopped')
    .addHelpText(
      'after',
      '\nWhat was set aside as damaged stays where it is. Runs under way go on on the store that their workers have: let them\n' +
        'end first, or copy once more afterwards.\n\n' +
        'Example:\n  longhaul store copy /mnt/store s3://my-bucket/rl',
    )
    .action(async (typedFrom: string, typedTo: string, flags: ObjectFlags) => {
      const [source, target] = [storeOf({ store: typedFrom }), storeOf({ store: typedTo })];
      if (source === target) throw new UserError(`${source} is both: expected two stores`);
      const [from, to] = [await openInventory(source), await openInventory(target)];
      await from.store.open();
      await to.store.create(objectSettingsOf(target, flags));
      const screen = screenOn(process.stdout);
      const { copied, there, bytes, aside, damaged } = await copyStore(from, to, ({ copied, bytes }) =>
        screen.draw([`${counted(copied, 'artifact')}, ${bytesText(bytes)}`]),
      );
      screen.print([
        `${counted(copied, 'artifact')} copied (${bytesText(bytes)}), ${there} there already`,
        ...(aside > 0 ? [`${aside} set aside as damaged: not copied`] : []),
        ...damaged.map(what => `not copied: ${what}`),
        ...(damaged.length === 0
          ? [`To read all of it once more: ${nextCommand('store check', '--store', target)}`]
          : []),
      ]);
      if (damaged.length > 0) process.exitCode = 1;
    });
}
