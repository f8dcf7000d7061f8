/** The run on two machines to which things happen, and what each of them did of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { type CurriculumResult, TASK_QUEUE } from '../../../activities/contract/index.js';
import type { RunSpec } from '../../../activities/spec/index.js';
import type { OpenedStore } from '../../../activities/store/index.js';
import { type Completed, completedActivities } from './completed.js';
import { Machine } from './machine.js';
import { Network } from './network.js';
import { startServices } from './services.js';
import { STRIKES, type Strike } from './strikes.js';

export const RUN = 'run';
const NAMES = ['machine-1', 'machine-2'];
const LOOK_MS = 20;
const START_TRIES = 15;

export interface Struck {
  machine: string;
  during: string;
  what: string;
  /** Seconds from the run's start, and until the next activity was completed by anybody. */
  at: number;
  recovered: number;
}

export interface Disturbed {
  result: CurriculumResult;
  seconds: number;
  struck: Struck[];
  /** Strikes for which the run was over too soon. */
  missed: Strike[];
  completed: Completed[];
  store: OpenedStore;
}

/** @param use what is done with it while the store can still be read */
export async function disturbedRun<T>(
  folder: string,
  spec: RunSpec,
  say: (line: string) => void,
  use: (run: Disturbed) => Promise<T>,
): Promise<T> {
  const network = await Network.create(NAMES);
  const ends: (() => Promise<unknown>)[] = [() => network.remove()];
  try {
    const services = await startServices(folder, network.address, () => {});
    ends.push(services.stop);
    const machines = await Promise.all(network.hosts.map(host => Machine.start(network, host, services, folder)));
    ends.push(() => Promise.all(machines.map(machine => machine.stop())));
    const connection = await Connection.connect({ address: services.address });
    ends.push(() => connection.close());
    return await use(await struckRun(new Client({ connection }), spec, machines, network, services.store, say));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function struckRun(
  client: Client,
  spec: RunSpec,
  machines: Machine[],
  network: Network,
  store: OpenedStore,
  say: (line: string) => void,
): Promise<Disturbed> {
  const began = Date.now();
  const handle = await started(client, spec);
  let over = false;
  const result = (handle.result() as Promise<CurriculumResult>).finally(() => {
    over = true;
  });
  result.catch(() => {});
  const struck: Struck[] = [];
  const missed: Strike[] = [];
  for (const strike of STRIKES) {
    const machine = machines[strike.machine]!;
    while (!over && !(await machine.inHand()).includes(strike.during)) await sleep(LOOK_MS);
    if (over) {
      missed.push(strike);
      continue;
    }
    const { what, during } = strike;
    const struckAt = Date.now();
    const lasting = strike.strike(machine, network);
    const recovered = await nextCompletion(client, struckAt, () => over);
    await lasting;
    struck.push({ machine: machine.host.name, during, what, at: (struckAt - began) / 1000, recovered });
    say(`  ${machine.host.name} was ${what}, in the middle of ${during}; work went on ${recovered.toFixed(1)} s later`);
    // So that it is back at work before the next.
    while (!over && (await machine.inHand()).length === 0) await sleep(LOOK_MS);
  }
  const ended = await result;
  const seconds = (Date.now() - began) / 1000;
  return { result: ended, seconds, struck, missed, completed: await completedActivities(client, RUN), store };
}

/** Tried again while a server that has just come up is not ready. */
async function started(client: Client, spec: RunSpec) {
  const how = {
    taskQueue: TASK_QUEUE,
    workflowId: RUN,
    args: [spec],
    workflowIdConflictPolicy: 'USE_EXISTING',
  } as const;
  for (let tries = 1; ; tries++) {
    try {
      return await client.workflow.start('curriculum', how);
    } catch (error) {
      if (tries === START_TRIES) throw error;
      await sleep(2000);
    }
  }
}

/** Seconds until any GPU activity of the run that began after `since`, on any machine, is done. */
async function nextCompletion(client: Client, since: number, isOver: () => boolean): Promise<number> {
  for (;;) {
    const done = (await completedActivities(client, RUN)).filter(({ started, gpu }) => gpu && started > since);
    const first = Math.min(...done.map(({ ended }) => ended));
    if (Number.isFinite(first)) return (first - since) / 1000;
    if (isOver()) return (Date.now() - since) / 1000;
    await sleep(500);
  }
}
