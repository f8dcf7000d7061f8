/** Where things lie in the checkout, whether this file runs compiled (dist/infra) or from its source. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const CHECKOUT = nearestWith(__dirname, 'package.json');
export const PRESETS = join(CHECKOUT, 'infra', 'presets');
/** What the `longhaul` command starts as; other processes of the stack are started through it too. */
export const LONGHAUL_COMMAND = join(CHECKOUT, 'infra', 'bin', 'longhaul.js');
/** The local stack's database, logs and store, unless told otherwise. */
export const DEFAULT_STATE = join(CHECKOUT, '.longhaul');

function nearestWith(folder: string, file: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, file))) return at;
    if (dirname(at) === at) throw new Error(`${folder}: no ${file} in any folder above`);
  }
}
