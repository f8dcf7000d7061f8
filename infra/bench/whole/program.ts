/**
 * Whole runs of one build of this project, one a turn, each with a local stack of its own. The build's folder is the argument.
 * It is asked as its users ask it, by its command line: the one thing that builds of all ages have in common.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { atExit } from '../../local/at-exit.js';
import { UserError } from '../../user-error.js';
import { watchMemory } from '../family.js';
import { withScratch } from '../scratch.js';
import { serve } from '../serve.js';
import type { RunAssignment } from './side.js';

/** Of what it printed, for whoever asks why it failed: fewer than peer.ts keeps of what is printed here. */
const LAST_LINES = 8;

const [build] = process.argv.slice(2) as [string];

serve<RunAssignment>(async ({ preset, set }) => ({
  versions: {},
  perform: () =>
    withScratch('run', async state => {
      const settings = set.flatMap(setting => ['--set', setting]);
      // Also where the environment names a store.
      const places = ['--state', state, '--store', join(state, 'store')];
      const memory = watchMemory(process.pid);
      const started = performance.now();
      const printed = await printedBy(['start', preset, ...settings, ...places]);
      const seconds = (performance.now() - started) / 1000;
      const peakBytes = memory();
      const weights = /^sha256 +([0-9a-f]{64})\b/m.exec(printed)?.[1];
      return { seconds, ...(weights && { weights }), ...(peakBytes !== null && { peakBytes }) };
    }),
}));

/** What the build's `longhaul` prints with these arguments. @throws UserError with its last lines when it fails */
function printedBy(args: string[]): Promise<string> {
  const command = join(build, 'infra', 'bin', 'longhaul.js');
  const child = spawn(process.execPath, [command, ...args], { cwd: build, stdio: ['ignore', 'pipe', 'pipe'] });
  const forget = atExit(() => child.kill('SIGINT'));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      forget();
      if (code === 0) return resolve(printed);
      const last = printed.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
      reject(new UserError(`${command} ${args.join(' ')} ended with code ${code}:\n${last}`));
    });
  });
}
