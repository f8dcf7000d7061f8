/** `npm run trial -- s3 --speed`: what the store in a bucket costs in memory and time. For a machine with nothing else to do. */
import type { Finding } from '../findings.js';
import { largeFolder } from './large-folder.js';
import { tinyRequests } from './requests.js';
import type { SpeedOptions } from './speed-options.js';
import { tinyRuns } from './tiny-runs.js';

export async function speedTrial(options: SpeedOptions): Promise<Finding[]> {
  return [
    ...(options.gib > 0 ? [await largeFolder(options)] : []),
    ...(options.runs > 0 ? [await tinyRuns(options)] : []),
    ...(options.requests ? [await tinyRequests(options)] : []),
  ];
}
