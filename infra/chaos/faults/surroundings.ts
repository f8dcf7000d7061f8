/** What workers stand on, beside the store: the judge, the clock. */
import { writeFile } from 'node:fs/promises';
import { WAYS_TO_BE_AWAY } from '../judge.js';
import { between, type FaultKind, later, pickOf, signal } from './fault.js';

export const silenceJudge: FaultKind = async ({ cluster: { judge } }, fault) => {
  if (!judge) return null;
  const how = pickOf(WAYS_TO_BE_AWAY, fault)!;
  const seconds = between(1, 8, fault);
  judge.goAway(how);
  return { what: `${how}, for ${seconds.toFixed(1)} s`, over: later(seconds, () => judge.comeBack()) };
};

/** Of one worker and its engine, by up to two days forward or back; it stays so. */
export const jumpClock: FaultKind = async ({ cluster }, fault) => {
  const worker = pickOf(cluster.workers, fault);
  const pids = worker && (await cluster.processesOf(worker));
  if (!worker || !pids?.length) return null;
  const seconds = Math.round((fault.force - 0.5) * 4 * 86_400);
  await writeFile(cluster.clockOf(worker.name), String(seconds));
  signal(pids, 'SIGUSR2');
  return { what: `${worker.name}'s, ${(seconds / 3600).toFixed(1)} hours`, over: Promise.resolve() };
};
