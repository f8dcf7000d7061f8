/** `npm run docs`: writes the references anew from the schemas. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { generated } from './references.js';

async function main(): Promise<void> {
  for (const { path, text } of generated()) {
    await mkdir(dirname(join(CHECKOUT, path)), { recursive: true });
    await writeFile(join(CHECKOUT, path), text);
    process.stdout.write(`${path}\n`);
  }
}

void main();
