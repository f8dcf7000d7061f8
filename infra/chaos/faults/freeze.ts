/** Processes that stand still (SIGSTOP): to everybody else, dead; to themselves, alive as ever. */
import { HEARTBEAT_TIMEOUT_SECONDS } from '../../../activities/contract/index.js';
import { AT_ONCE, between, busyWorker, type FaultKind, later, signal } from './fault.js';

/**
 * A worker and its engine, until past the heartbeat time-out: its work is given to another. Then it goes on, a zombie
 * that believes the work to be its own.
 */
export const freezeWorker: FaultKind = async (target, fault) => {
  const found = await busyWorker(target, ['gpu'], fault);
  const pids = found && (await target.cluster.processesOf(found.worker));
  if (!found || !pids?.length) return null;
  signal(pids, 'SIGSTOP');
  const seconds = HEARTBEAT_TIMEOUT_SECONDS + between(1, 4, fault);
  return {
    what: `${found.worker.name} (${found.doing}) for ${seconds.toFixed(1)} s`,
    over: later(seconds, () => signal(pids, 'SIGCONT')),
  };
};

/** The engine alone, for good: its worker goes on heartbeating and must find out by itself. */
export const hangEngine: FaultKind = async (target, fault) => {
  const found = await busyWorker(target, ['gpu'], fault);
  const pid = found && (await target.cluster.engineOf(found.worker));
  if (!found || pid === null) return null;
  signal([pid], 'SIGSTOP');
  return { what: `${found.worker.name}'s engine (${found.doing})`, over: AT_ONCE };
};
