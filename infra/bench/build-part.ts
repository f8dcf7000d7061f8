/** Parts of another build of this project, run as they were built. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UserError } from '../user-error.js';

/** What a module of the build exports. @param path its place in infra/ @throws UserError when the build has none there */
export function partOf<T>(build: string, path: string): T {
  const file = join(build, 'dist', 'infra', `${path}.js`);
  if (!existsSync(file))
    throw new UserError(`${file}: is not there; expected a build of a commit with this benchmark.`);
  return createRequire(__filename)(file) as T;
}
