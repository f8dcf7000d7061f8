/** A real browser for tests of the page: the system's own Chromium. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Null where none is installed; CHROMIUM names another than those on the PATH. */
export function chromiumProgram(environment: NodeJS.ProcessEnv = process.env): string | null {
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const there = (file: string) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const files = [environment.CHROMIUM ?? '', ...NAMES.flatMap(name => folders.map(folder => join(folder, name)))];
  return files.filter(Boolean).find(there) ?? null;
}

/** Without its sandbox, which a container does not allow: it opens pages of this machine alone. */
export function launch(program: string): Promise<Browser> {
  return chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
}
