/** The code that made something, for whoever asks later: longhaul's version and that of the runtime beneath. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Numerics } from './numerics.js';

export interface CodeVersion {
  longhaul: string;
  onnxruntime: string;
  /** What its engine computes; absent where no engine took part, and in records of earlier versions. */
  numerics?: Numerics;
}

let known: CodeVersion | undefined;

/** @param numerics of the engine that took part */
export function codeVersion(numerics?: Numerics): CodeVersion {
  known ??= {
    longhaul: versionIn(ownPackage()),
    onnxruntime: versionIn(require.resolve('onnxruntime-node/package.json')),
  };
  return numerics ? { ...known, numerics } : known;
}

export function codeText({ longhaul, onnxruntime, numerics }: CodeVersion): string {
  if (!numerics) return `longhaul ${longhaul}, onnxruntime ${onnxruntime}`;
  const { provider, processor, sha256, tolerance } = numerics;
  if (tolerance !== undefined) return `longhaul ${longhaul}, ${provider} (${processor}), tolerance ${tolerance}`;
  return `longhaul ${longhaul}, onnxruntime ${onnxruntime}, numerics ${sha256.slice(0, 8)} (${provider}, ${processor})`;
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
