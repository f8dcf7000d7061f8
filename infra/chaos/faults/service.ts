/** The training service that the engines' work is done by, where it is one: its processes, and its answers on their way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AT_ONCE, between, busyWorker, type FaultKind, later, type Target } from './fault.js';

/** So that most strike in the middle of a step. */
async function atWork(target: Target, fault: Parameters<FaultKind>[1]): Promise<string> {
  const found = await busyWorker(target, ['gpu'], fault);
  await sleep(1000 * between(0, 2, fault));
  return found?.doing ?? 'idle';
}

const ended =
  (how: 'kill' | 'killEngine', what: string): FaultKind =>
  async (target, fault) => {
    const { service } = target.cluster;
    if (!service) return null;
    const doing = await atWork(target, fault);
    await service[how]();
    const seconds = between(0, 3, fault);
    const over = later(seconds, () => service.start());
    return { what: `${what} (a worker ${doing}), away for ${seconds.toFixed(1)} s`, over };
  };

export const killService = ended('kill', 'all of it');
export const killServiceEngine = ended('killEngine', 'its engine');

const lost =
  (how: 'loseAnswers' | 'forgetPromises', what: string): FaultKind =>
  async (target, fault) => {
    const { service } = target.cluster;
    if (!service) return null;
    const doing = await atWork(target, fault);
    const count = Math.ceil(between(0, 3, fault) + 1e-9);
    service[how](count);
    return { what: `${what} of ${count} ${count === 1 ? 'call' : 'calls'} (a worker ${doing})`, over: AT_ONCE };
  };

export const loseAnswers = lost('loseAnswers', 'the answers');
export const forgetPromises = lost('forgetPromises', 'the promises');
