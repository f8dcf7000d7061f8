/** A bit that flips on the disk. The engines are killed with it, so that what is damaged is soon wanted. */
import { AT_ONCE, type FaultKind, pickOf } from './fault.js';

/** @param what in one of the newest files of the redo log, or one of the newest checkpoint's */
const damage =
  (what: 'log' | 'checkpoint'): FaultKind =>
  async ({ cluster, run }, fault) => {
    const path = pickOf(await cluster.store.newest(run, what), fault);
    const injury = path === undefined ? null : await cluster.store.flipBit(path, fault.force);
    if (!injury) return null;
    for (const worker of cluster.ofKind('gpu')) {
      const engine = await cluster.engineOf(worker);
      if (engine !== null) process.kill(engine, 'SIGKILL');
    }
    return { what: `${injury.path.split('/').slice(-3).join('/')}, and both engines killed`, over: AT_ONCE, injury };
  };

export const flipBitInLog = damage('log');
export const flipBitInCheckpoint = damage('checkpoint');
