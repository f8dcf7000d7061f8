/** Where a graph's builder was asked for something. */
import { sep } from 'node:path';

/** The first line of the stack in a file outside this folder: where the bad node was asked for. */
export function callSite(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const outside = lines.find(line => /:\d+:\d+\)?$/.test(line) && !line.includes(__dirname + sep));
  return outside?.trim().replace(/^at /, '') ?? 'unknown line';
}
