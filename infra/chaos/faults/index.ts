/** The kinds of faults, by name. */
import { cutConnections, loseServer, stallConnections } from './connections.js';
import { flipBitInCheckpoint, flipBitInLog } from './damage.js';
import { fillDisk } from './disk.js';
import type { FaultKind } from './fault.js';
import { freezeWorker, hangEngine } from './freeze.js';
import { killEngine, killServer, killWorker } from './kill.js';
import { forgetPromises, killService, killServiceEngine, loseAnswers } from './service.js';
import { jumpClock, loseStore, silenceJudge } from './surroundings.js';

export type { FaultKind, Injury, Strike, Target } from './fault.js';

/** Those that strike unless others are asked for: of the long outages there would be time for little else. */
export function usualKinds({ judge }: { judge: boolean }): string[] {
  const others = [...(judge ? [] : ['silence-judge']), ...SERVICE_KINDS, 'lose-server'];
  return Object.keys(FAULT_KINDS).filter(kind => !others.includes(kind));
}

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
  'jump-clock': jumpClock,
  'silence-judge': silenceJudge,
  'flip-bit-in-log': flipBitInLog,
  'flip-bit-in-checkpoint': flipBitInCheckpoint,
  'kill-service': killService,
  'kill-service-engine': killServiceEngine,
  'lose-answers': loseAnswers,
  'forget-promises': forgetPromises,
};

/** Those that strike a training service: `npm run trial -- tinker` has one. */
export const SERVICE_KINDS = ['kill-service', 'kill-service-engine', 'lose-answers', 'forget-promises'];
