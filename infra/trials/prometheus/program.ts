/** Where `prometheus` and `promtool` come from: a folder that is named, the PATH, or Debian's package. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { executable, which } from '../../local/programs.js';
import { UserError } from '../../user-error.js';

export interface PrometheusPrograms {
  prometheus: string;
  promtool: string;
}

const NAMES = ['prometheus', 'promtool'] as const;
const run = promisify(execFile);

/**
 * @param named a folder that has both
 * @param scratch where the package may be unpacked; nothing is installed
 * @throws UserError that says what to do
 */
export async function findPrometheus(named: string | undefined, scratch: string): Promise<PrometheusPrograms> {
  if (named !== undefined) return bothIn(named);
  const [prometheus, promtool] = await Promise.all(NAMES.map(name => which(name, process.env)));
  if (prometheus && promtool) return { prometheus, promtool };
  return bothIn(await unpackDebian(join(scratch, 'debian')));
}

async function bothIn(folder: string): Promise<PrometheusPrograms> {
  const [prometheus, promtool] = NAMES.map(name => join(folder, name)) as [string, string];
  for (const path of [prometheus, promtool]) {
    if (!(await executable(path))) throw new UserError(`${path}: there is no such program.`);
  }
  return { prometheus, promtool };
}

/** @returns the folder of the programs */
async function unpackDebian(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  try {
    await run('apt-get', ['download', 'prometheus'], { cwd: folder });
    const [deb] = (await readdir(folder)).filter(name => name.endsWith('.deb'));
    await run('dpkg-deb', ['-x', deb!, '.'], { cwd: folder });
  } catch (error) {
    throw new UserError(
      `prometheus and promtool are not on the PATH, and Debian's package could not be had (${(error as Error).message.trim()}). ` +
        'Install Prometheus, or name its folder with --programs.',
    );
  }
  return join(folder, 'usr', 'bin');
}
