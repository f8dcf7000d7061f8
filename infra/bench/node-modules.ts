/** Node packages that only a benchmark needs: in the user's cache, apart from the project's own. */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce, step } from './made-once.js';

const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * A folder with the packages that a package.json names in its `node_modules`, installed if need be. Their install scripts
 * are not run: they would fetch or build what the packages bring along.
 * @throws UserError that says what to do
 */
export function nodeModules({
  manifest,
  cache,
  log,
  npm = NPM,
}: {
  manifest: string;
  cache: string;
  log: (line: string) => void;
  npm?: string;
}): Promise<string> {
  const wanted = readFileSync(manifest, 'utf8');
  return madeOnce({ name: 'node', wanted, cache }, async folder => {
    const { dependencies } = JSON.parse(wanted) as { dependencies: Record<string, string> };
    const names = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`);
    log(`installing ${names.join(', ')} in ${folder}`);
    await mkdir(folder);
    await copyFile(manifest, join(folder, 'package.json'));
    await step(
      npm,
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      [
        'npm could not install the packages (its message is above).',
        'Without internet access, point npm at a registry that can be reached: npm config set registry URL.',
      ],
      folder,
    );
  });
}
