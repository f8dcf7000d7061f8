/** The network between workers and server. */
import type { FaultyLink } from '../faulty-link.js';
import { AT_ONCE, between, type FaultKind, later, pickOf } from './fault.js';

/** Of one worker, or in half of the cases of all. */
const connectionFault =
  (how: 'cut' | 'stall', low: number, high: number): FaultKind =>
  async ({ cluster }, fault) => {
    const one = pickOf(cluster.workers, fault);
    const struck = fault.force < 0.5 && one ? [one] : cluster.workers;
    const links: FaultyLink[] = struck.map(({ link }) => link);
    for (const link of links) link[how]();
    const seconds = between(low, high, fault);
    const whose = struck.length === 1 ? struck[0]!.name : 'all workers';
    return {
      what: `${whose}, for ${seconds.toFixed(1)} s`,
      over: seconds > 0 ? later(seconds, () => links.forEach(link => void link.mend())) : AT_ONCE,
    };
  };

/** Connections are reset and refused. */
export const cutConnections = connectionFault('cut', 0.5, 6);
/** The server is not to be reached by anybody, for more than a minute: longer than workers and time-outs bear in silence. */
export const loseServer: FaultKind = async ({ cluster }, fault) => {
  const links = cluster.workers.map(({ link }) => link);
  for (const link of links) link.cut();
  const seconds = between(60, 90, fault);
  return { what: `for ${seconds.toFixed(1)} s`, over: later(seconds, () => links.forEach(link => void link.mend())) };
};

/** Connections are half open: nothing arrives any more, and nobody is told. */
export const stallConnections = connectionFault('stall', 2, 10);
