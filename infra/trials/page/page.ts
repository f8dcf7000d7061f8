/** `npm run trial -- page`: how fast the web page opens, on a finished run and on a store larger than anybody's. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { FolderStore } from '../../../activities/store/index.js';
import { DEFAULT_STATE } from '../../checkout.js';
import { columns } from '../../view/columns.js';
import { isMade, type MadeUpRun, makeRun } from './made-up-store.js';
import { type Measured, measure, type ServerProcess, withBrowser, withServer } from './measure.js';

interface PageFlags {
  store: string;
  run: string;
  scratch: string;
  runs: string;
  steps: string;
}

/** Of the large run: the last phase is under way. */
const LARGE: MadeUpRun = { name: 'large', phases: [2500, 2500, 2500, 2500], isDone: false };
/** For what is read in the background. */
const SETTLE_MS = 10_000;

export function addPageTrial(command: Command): void {
  command
    .description('how fast the web page opens: a finished run, and a made-up store of many long runs')
    .option('--store <folder>', 'store with a finished run', join(DEFAULT_STATE, 'store'))
    .option('--run <name>', 'that run', 'tiny')
    .option('--scratch <folder>', 'where the made-up store is kept', join(DEFAULT_STATE, 'trial-page'))
    .option('--runs <n>', 'its runs', '200')
    .option('--steps <n>', 'steps of each', '2000')
    .action(async (flags: PageFlags) => {
      const measured = await pageTrial(flags);
      process.stdout.write(`${columns([HEAD, ...measured.map(cells)]).join('\n')}\n`);
    });
}

const HEAD = ['page', 'first paint ms', 'content ms', 'server processor s', 'server most MiB'];
const cells = ({ page, firstPaint, content, serverSeconds, memory }: Measured) => [
  page,
  firstPaint.toFixed(0),
  content.toFixed(0),
  serverSeconds.toFixed(2),
  memory.toFixed(0),
];

async function pageTrial({ store, run, scratch, runs, steps }: PageFlags): Promise<Measured[]> {
  const made = await madeUpStore(scratch, Number(runs), Number(steps));
  return withBrowser(async browser => {
    // The browser's own first page costs it more than any other.
    await withServer(store, server => measure(browser, server, { page: '', path: '/', shows: 'h1' }));
    const [runPath, large] = [`/runs/${run}`, `/runs/${LARGE.name}`];
    const twice = async (server: ServerProcess, page: { page: string; path: string; shows: string }) => {
      const first = await measure(browser, server, { ...page, page: `${page.page}, first time` });
      await sleep(SETTLE_MS);
      return [first, await measure(browser, server, { ...page, page: `${page.page}, again` })];
    };
    return [
      ...(await withServer(store, server => twice(server, { page: `run "${run}"`, path: runPath, shows: '.chart' }))),
      ...(await withServer(made, server =>
        twice(server, { page: `${runs} runs of ${steps} steps`, path: '/', shows: '.runs tbody tr' }),
      )),
      ...(await withServer(made, server =>
        twice(server, { page: 'a run of 10,000 steps', path: large, shows: '.chart' }),
      )),
    ];
  });
}

/** Every second run is finished. */
async function madeUpStore(root: string, runs: number, steps: number): Promise<string> {
  if (await isMade(root, runs + 1)) return root;
  process.stderr.write(`making ${runs} runs of ${steps} steps in ${root}; this takes minutes\n`);
  await mkdir(root, { recursive: true });
  const store = new FolderStore(root);
  await store.create();
  const quarter = Math.ceil(steps / 4);
  const runOf = (k: number): MadeUpRun => ({
    name: `run-${k}`,
    phases: [quarter, quarter, quarter, quarter],
    isDone: k % 2 === 1,
  });
  await makeRun(store, runOf(0), null);
  for (let k = 1; k < runs; k++) await makeRun(store, runOf(k), runOf(0));
  await makeRun(store, LARGE, null);
  return root;
}
