/** What happens to the machines while the run goes on, in this order. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machine.js';
import { type Network, SLOWED_TO } from './network.js';

export interface Strike {
  /** Which of the machines. */
  machine: number;
  /** What it has in hand at that moment. */
  during: 'rollout' | 'update' | 'evaluate';
  what: string;
  strike(machine: Machine, network: Network): Promise<void>;
}

/** Longer than the silence after which a worker counts as dead. */
const AWAY_MS = 20_000;
const SLOW_MS = 30_000;

const killed = { what: 'killed', strike: async (machine: Machine) => machine.kill() };
const cutOff = {
  what: `cut off for ${AWAY_MS / 1000} s`,
  strike: async ({ host }: Machine, network: Network) => {
    await network.cut(host);
    await sleep(AWAY_MS);
    await network.join(host);
  },
};
const slowed = {
  what: `slowed to ${SLOWED_TO} for ${SLOW_MS / 1000} s`,
  strike: async ({ host }: Machine, network: Network) => {
    await network.slow(host);
    await sleep(SLOW_MS);
    await network.unslow(host);
  },
};

export const STRIKES: readonly Strike[] = [
  { machine: 0, during: 'rollout', ...killed },
  { machine: 1, during: 'rollout', ...cutOff },
  { machine: 0, during: 'rollout', ...slowed },
  { machine: 1, during: 'update', ...killed },
  { machine: 0, during: 'rollout', ...cutOff },
  { machine: 1, during: 'evaluate', ...killed },
];
