/** `longhaul engine merge`: an adapter laid into the weights of its model. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { inNewFolder } from './new-folder.js';
import { type EngineFlags, note, withEngineFlags, withModel } from './session.js';

export function mergeCommand(): Command {
  return withEngineFlags(new Command('merge'), { adapter: 'required' })
    .description('lay a LoRA adapter into the weights of its model')
    .requiredOption('--output <folder>', "new or empty folder for the whole model (Hugging Face's layout, 32-bit)")
    .action((flags: EngineFlags & { output: string }) =>
      withModel(flags, null, async ({ engine }) => {
        const output = resolve(flags.output);
        const { sha256 } = await inNewFolder(output, '--output', directory =>
          engine.call('save', { directory, withOptimizer: false, merged: true }),
        );
        note(`model.safetensors sha256 ${sha256}`);
      }),
    );
}
