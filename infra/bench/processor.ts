/** What the processor can do that some peers need. */
import { readFileSync } from 'node:fs';

export type Feature = 'bfloat16';

/** The kernel's words for it; any of them will do. */
const FLAGS: Record<Feature, readonly string[]> = {
  bfloat16: ['avx512_bf16', 'amx_bf16', 'bf16'], // the last is ARM's
};

/** @param cpuinfo what /proc/cpuinfo says; nothing on systems that have none */
export function hasFeature(feature: Feature, cpuinfo: string = read('/proc/cpuinfo')): boolean {
  const words = new Set(cpuinfo.match(/^(?:flags|Features)\s*:.*$/m)?.[0].split(/\s+/));
  return FLAGS[feature].some(flag => words.has(flag));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
