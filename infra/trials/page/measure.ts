/** What a page takes, from the request to what can be read of it, in a real browser; and what its server takes meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Browser, chromium } from 'playwright-core';
import { LONGHAUL_COMMAND } from '../../checkout.js';
import { claimPort } from '../../local/ports.js';
import { which } from '../../local/programs.js';
import { UserError } from '../../user-error.js';

export interface Measured {
  page: string;
  /** Milliseconds from the navigation to the browser's first paint with content, and to the page's own content. */
  firstPaint: number;
  content: number;
  /** Of the server's processor, meanwhile. */
  serverSeconds: number;
  /** Most that the server has held so far, MiB. */
  memory: number;
}

const USUAL_PORT = 8265;
/** Of a clock that Linux keeps at 100 a second. */
const TICKS = 100;
const PATIENCE_MS = 120_000;

export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const program = process.env.CHROMIUM ?? (await which('chromium', process.env));
  if (!program)
    throw new UserError('There is no chromium on the path (apt-get install chromium); CHROMIUM names one elsewhere.');
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** A server of its own for the store: the first page finds it as cold as a person would. */
export async function withServer<T>(store: string, use: (server: ServerProcess) => Promise<T>): Promise<T> {
  // No Temporal server: what is measured is the store alone.
  const claim = await claimPort(undefined, USUAL_PORT);
  const flags = ['--store', store, '--port', String(claim.port), '--address', '127.0.0.1:1'];
  const child = spawn(process.execPath, [LONGHAUL_COMMAND, 'ui', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const address = await addressOf(child);
    return await use({ address, pid: child.pid! });
  } finally {
    claim.release();
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

export interface ServerProcess {
  address: string;
  pid: number;
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stdout!) {
    said += chunk;
    const [, address] = /^UI +(\S+)/m.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`the server ended: ${said}`);
}

/** @param shows what must be there for the page to be of use */
export async function measure(
  browser: Browser,
  { address, pid }: ServerProcess,
  { page: name, path, shows }: { page: string; path: string; shows: string },
): Promise<Measured> {
  const page = await browser.newPage();
  try {
    const before = await processorSeconds(pid);
    const started = performance.now();
    await page.goto(address + path, { waitUntil: 'commit' });
    await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS });
    const content = performance.now() - started;
    const firstPaint = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1`,
    );
    const serverSeconds = (await processorSeconds(pid)) - before;
    return { page: name, firstPaint, content, serverSeconds, memory: await mostMemory(pid) };
  } finally {
    await page.close();
  }
}

async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function mostMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024;
}
