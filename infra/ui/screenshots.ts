/**
 * Pictures of the page for the documentation, by a Chromium on the path: node dist/infra/ui/screenshots.js RUN [FOLDER]
 * The page is one that `longhaul ui` serves at its usual address (UI names another).
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT } from '../checkout.js';

/** For the charts to be drawn. */
const SETTLE_MS = 8000;

interface Picture {
  name: string;
  path: string;
  size: [width: number, height: number];
  dark?: boolean;
}

const picturesOf = (run: string): Picture[] => [
  { name: 'runs', path: '/', size: [1280, 480] },
  { name: 'run', path: `/runs/${run}`, size: [1280, 1080] },
  { name: 'run-dark', path: `/runs/${run}`, size: [1280, 1180], dark: true },
  { name: 'run-narrow', path: `/runs/${run}`, size: [520, 1400] },
  { name: 'step', path: `/runs/${run}/phase-1/1/1`, size: [1280, 1100] },
  { name: 'step-dark', path: `/runs/${run}/phase-1/1/1`, size: [1280, 1100], dark: true },
];

async function main([run, folder = join(CHECKOUT, 'docs', 'images')]: string[]): Promise<void> {
  if (run === undefined) throw new Error('Expected the name of a run.');
  await mkdir(folder, { recursive: true });
  for (const { name, path, size, dark } of picturesOf(run)) {
    const file = join(folder, `${name}.png`);
    await promisify(execFile)('chromium', [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
      `--virtual-time-budget=${SETTLE_MS}`,
      `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`,
      `--window-size=${size.join(',')}`,
      `--screenshot=${file}`,
      (process.env.UI ?? 'http://127.0.0.1:8265') + path,
    ]);
    process.stdout.write(`${file}\n`);
  }
}

void main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
