/** The code that made something, for whoever asks later: longhaul's version and that of the runtime beneath. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface CodeVersion {
  longhaul: string;
  onnxruntime: string;
}

let known: CodeVersion | undefined;

export function codeVersion(): CodeVersion {
  known ??= {
    longhaul: versionIn(ownPackage()),
    onnxruntime: versionIn(require.resolve('onnxruntime-node/package.json')),
  };
  return known;
}

/** Compiled code lies one folder deeper than its source, so the nearest package is looked for. */
function ownPackage(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'package.json');
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
