/**
 * Pictures of the page for the documentation, by a Chromium on the path: node dist/infra/ui/screenshots.js RUN [FOLDER] [NAME…]
 * The page is one that `longhaul ui` serves at its usual address (UI names another), with the server that the run was made
 * on, so that its history is shown too.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHECKOUT } from '../checkout.js';
import { which } from '../local/programs.js';

interface Picture {
  name: string;
  path: string;
  size: [width: number, height: number];
  dark?: boolean;
  /** What must be there; the page's heading unless told. */
  shows?: string;
}

const picturesOf = (run: string): Picture[] => [
  { name: 'run', path: `/runs/${run}`, size: [1280, 1130], shows: '.chart' },
  { name: 'step', path: `/runs/${run}/phase-1/1/5`, size: [1280, 900], shows: '.response' },
  { name: 'curriculum', path: `/runs/${run}/curriculum`, size: [1280, 900], shows: '.phase' },
  { name: 'evaluations', path: `/runs/${run}/evaluations?a=phase-3&b=final`, size: [1280, 1000], shows: '.gain' },
  { name: 'proof', path: `/runs/${run}/proof`, size: [1280, 860], shows: '.lineage' },
];

const PATIENCE_MS = 60_000;
/** While steps are still being read, the page says so in such a line. */
const READING = '[role="status"]:has-text("still to be read")';

async function main([run, folder = join(CHECKOUT, 'docs', 'images'), ...names]: string[]): Promise<void> {
  if (run === undefined) throw new Error('Expected the name of a run.');
  const program = process.env.CHROMIUM ?? (await which('chromium', process.env));
  if (!program) throw new Error('There is no chromium on the path; CHROMIUM names one elsewhere.');
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  try {
    for (const {
      name,
      path,
      size: [width, height],
      dark,
      shows = 'h1',
    } of picturesOf(run).filter(picture => names.length === 0 || names.includes(picture.name))) {
      const page = await browser.newPage({ colorScheme: dark ? 'dark' : 'light', viewport: { width, height } });
      page.setDefaultTimeout(PATIENCE_MS);
      await page.goto((process.env.UI ?? 'http://127.0.0.1:8265') + path);
      await page.locator(shows).first().waitFor();
      await page.locator(READING).waitFor({ state: 'detached' });
      const file = join(folder, `${name}.png`);
      await page.screenshot({ path: file });
      await page.close();
      process.stdout.write(`${file}\n`);
    }
  } finally {
    await browser.close();
  }
}

void main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
