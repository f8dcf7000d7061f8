/** The kinds of faults, by name. */

import type { StoreChoice } from '../stores/open.js';
import { cutConnections, loseServer, stallConnections } from './connections.js';
import { flipBitInCheckpoint, flipBitInLog } from './damage.js';
import { fillDisk } from './disk.js';
import type { FaultKind } from './fault.js';
import { freezeWorker, hangEngine } from './freeze.js';
import { killEngine, killServer, killWorker } from './kill.js';
import { forgetPromises, killService, killServiceEngine, loseAnswers } from './service.js';
import { cutUploads, failStore, killStore, loseStore, slowStore } from './store.js';
import { jumpClock, silenceJudge } from './surroundings.js';

export type { FaultKind, Strike, Target } from './fault.js';

/** Those that strike unless others are asked for: of the long outages there would be time for little else. */
export function usualKinds(has: Record<Need, boolean>): string[] {
  return Object.keys(FAULT_KINDS).filter(kind => kind !== 'lose-server' && !(NEEDS[kind] && !has[NEEDS[kind]]));
}

/**
 * What a kind strikes that not every trial has: a judge, a link to the store, a store's server of the harness's own, a
 * training service (`npm run trial -- tinker` has one).
 */
export type Need = 'judge' | 'link' | 'gateway' | 'service';

/** What a trial has of them. */
export function struckBy({ judge, store }: { judge: boolean; store: StoreChoice }): Record<Need, boolean> {
  return { judge, link: store !== 'folder', gateway: store === 'gateway', service: false };
}

export const NEEDS: Record<string, Need> = {
  'silence-judge': 'judge',
  'slow-store': 'link',
  'fail-store': 'link',
  'cut-uploads': 'link',
  'kill-store': 'gateway',
  'kill-service': 'service',
  'kill-service-engine': 'service',
  'lose-answers': 'service',
  'forget-promises': 'service',
};

export const FAULT_KINDS: Record<string, FaultKind> = {
  'kill-worker': killWorker,
  'kill-engine': killEngine,
  'kill-server': killServer,
  'freeze-worker': freezeWorker,
  'hang-engine': hangEngine,
  'cut-connections': cutConnections,
  'stall-connections': stallConnections,
  'lose-server': loseServer,
  'fill-disk': fillDisk,
  'lose-store': loseStore,
  'slow-store': slowStore,
  'fail-store': failStore,
  'cut-uploads': cutUploads,
  'kill-store': killStore,
  'jump-clock': jumpClock,
  'silence-judge': silenceJudge,
  'flip-bit-in-log': flipBitInLog,
  'flip-bit-in-checkpoint': flipBitInCheckpoint,
  'kill-service': killService,
  'kill-service-engine': killServiceEngine,
  'lose-answers': loseAnswers,
  'forget-promises': forgetPromises,
};
