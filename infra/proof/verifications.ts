/** What verify found in a run, each time: kept in the store beside what it looked at. */

import type { Difference } from '../../activities/policies/index.js';
import type { CodeVersion } from '../../activities/provenance/index.js';
import { publishJson, readJson, type Store, storeUri } from '../../activities/store/index.js';

export interface Verification {
  /** When it ended, ISO 8601. */
  at: string;
  code: CodeVersion;
  /** Steps whose log was checked, and what is wrong with them. */
  steps: number;
  faults: string[];
  /**
   * Steps that were made again: what came out otherwise, null where all was equal, and whether that is as their engine
   * promises.
   */
  redone: { stage: string; attempt: number; step: number; difference: Difference | null; kept: boolean }[];
  sound: boolean;
}

const folderOf = (run: string) => storeUri('runs', run, 'verified');

export async function keepVerification(store: Store, run: string, verification: Verification): Promise<void> {
  const name = verification.at.replace(/[:.]/g, '-');
  await publishJson(store, `${folderOf(run)}/${name}.json`, verification);
}

/** The newest first. @param problem told of each that cannot be read; the others are given */
export async function verifications(
  store: Store,
  run: string,
  problem: (message: string) => void,
): Promise<Verification[]> {
  const found: Verification[] = [];
  for (const file of (await store.list(folderOf(run))).filter(name => name.endsWith('.json')).reverse()) {
    try {
      const ref = await store.find(`${folderOf(run)}/${file}`);
      if (ref) found.push(await readJson<Verification>(store, ref));
    } catch (error) {
      problem((error as Error).message);
    }
  }
  return found;
}
