/** `npm run trial -- s3 --speed`: what the store in a bucket costs in memory and time. For a machine with nothing else to do. */
import { asMarkdown, asText } from '../../bench/table.js';
import { largeFolder } from './large-folder.js';
import type { SpeedOptions } from './speed-options.js';
import { tinyRuns } from './tiny-runs.js';

export async function speedTrial(options: SpeedOptions): Promise<{ text: string; holds: boolean }> {
  const found = [await largeFolder(options), ...(options.runs > 0 ? [await tinyRuns(options)] : [])];
  const print = process.stdout.isTTY ? asText : asMarkdown;
  const holds = found.every(part => part.holds);
  const text = [...found.map(({ table }) => print(table)), holds ? 'HOLDS' : 'DOES NOT HOLD'].join('\n\n');
  return { text, holds };
}
