/** The page's own files: one document for every address, its scripts and styles, and uPlot's. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { isPage } from './routes.js';

const PAGE = join(CHECKOUT, 'infra', 'ui', 'page');
const UPLOT = join(CHECKOUT, 'node_modules', 'uplot', 'dist');

const DOCUMENT = join(PAGE, 'index.html');
/** All that is served below /page/, by name: nothing else can be asked for. */
export const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    readdirSync(PAGE)
      .filter(name => name !== 'index.html')
      .map(name => [name, join(PAGE, name)]),
  ),
  'uplot.js': join(UPLOT, 'uPlot.iife.min.js'),
  'uplot.css': join(UPLOT, 'uPlot.min.css'),
};

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** @param path decoded segments of the request's path */
export async function fileAt(path: readonly string[]): Promise<{ type: string; body: Buffer } | null> {
  const file = isPage(path) ? DOCUMENT : path[0] === 'page' && path.length === 2 ? ownFile(path[1]!) : undefined;
  if (file === undefined) return null;
  return { type: TYPES[extname(file)]!, body: await readFile(file) };
}

const ownFile = (name: string) => (Object.hasOwn(FILES, name) ? FILES[name] : undefined);
