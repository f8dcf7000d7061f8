/** Paths as a person typed them: npm runs its scripts in the checkout's root, wherever it was called. */
import { resolve } from 'node:path';

const SCRIPTS = ['bench', 'trial'];

export const callersFolder = (): string =>
  (SCRIPTS.includes(process.env.npm_lifecycle_event ?? '') && process.env.INIT_CWD) || process.cwd();

export const typed = (path: string): string => resolve(callersFolder(), path);
