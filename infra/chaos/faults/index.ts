/** The kinds of faults, by name. */
import { cutConnections, loseServer, stallConnections } from './connections.js';
import { flipBitInCheckpoint, flipBitInLog } from './damage.js';
import { fillDisk } from './disk.js';
import type { FaultKind } from './fault.js';
import { freezeWorker, hangEngine } from './freeze.js';
import { killEngine, killServer, killWorker } from './kill.js';
import { jumpClock, loseStore, silenceJudge } from './surroundings.js';

export type { FaultKind, Injury, Strike, Target } from './fault.js';

/** Those that strike unless others are asked for: of the long outages there would be time for little else. */
export function usualKinds({ judge }: { judge: boolean }): string[] {
  return Object.keys(FAULT_KINDS).filter(kind => kind !== 'lose-server' && (judge || kind !== 'silence-judge'));
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
};
