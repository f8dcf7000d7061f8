/** Processes ended by SIGKILL: no handler runs, nothing is flushed. */
import { pidOf } from '../cluster.js';
import { AT_ONCE, busyWorker, type FaultKind } from './fault.js';

/** The engine is orphaned with it, and ends by itself. */
export const killWorker: FaultKind = async (target, fault) => {
  const found = await busyWorker(target, fault.force < 0.3 ? ['cpu'] : ['gpu'], fault);
  const pid = found && pidOf(found.worker.process);
  if (!found || pid === null) return null;
  process.kill(pid, 'SIGKILL');
  return { what: `${found.worker.name} (${found.doing})`, over: AT_ONCE };
};

export const killEngine: FaultKind = async (target, fault) => {
  const found = await busyWorker(target, ['gpu'], fault);
  const pid = found && (await target.cluster.engineOf(found.worker));
  if (!found || pid === null) return null;
  process.kill(pid, 'SIGKILL');
  return { what: `${found.worker.name}'s engine (${found.doing})`, over: AT_ONCE };
};

export const killServer: FaultKind = async ({ cluster }) => {
  const pid = pidOf(cluster.server);
  if (pid === null) return null;
  process.kill(pid, 'SIGKILL');
  return { what: 'the Temporal server', over: AT_ONCE };
};
