/** Who takes part in a row: our side first, then its peers, then the other build. Each is started when its time has come. */
import { CHECKOUT } from '../checkout.js';
import { type Build, startsOf } from './against.js';
import { modelOf } from './models.js';
import { startOurs } from './ours.js';
import { startPeer } from './peer.js';
import { PEERS } from './peers.js';
import { AGAINST, OURS } from './result.js';
import type { Row } from './rows.js';
import type { Runtimes } from './runtimes.js';
import type { Side } from './side.js';
import { startWholeRun } from './whole/side.js';
import { assign, type Given, type WholeRun, type Work } from './work.js';

export interface Participant {
  name: string;
  start(): Promise<Side>;
}

export interface Field {
  threads: number;
  given: Given;
  /** Empty where peers are left out. */
  runtimes: Runtimes;
  against: Build | null;
  /** A folder for models that are made for a row. */
  scratch: string;
}

export async function participantsOf(row: Row, field: Field): Promise<Participant[]> {
  const { work } = row;
  return work.kind === 'run' ? ofWholeRun(work, field) : ofWork(row, work, field);
}

function ofWholeRun({ preset, set }: WholeRun, { threads, given, against }: Field): Participant[] {
  const builds = [{ name: OURS, root: CHECKOUT }, ...(against ? [{ name: AGAINST, root: against.root }] : [])];
  const assignment = { preset, set: set(given) };
  return builds.map(({ name, root }) => ({ name, start: () => startWholeRun(assignment, { build: root, threads }) }));
}

async function ofWork(row: Row, work: Work, { threads, given, runtimes, against, scratch }: Field) {
  const { directory, vocabularySize } = await modelOf(work.model, scratch, given.smollm2);
  const assignment = assign(work, directory, vocabularySize, threads);
  const options = row.activations ? { memory: row.activations } : {};
  const peers = row.peers.flatMap(({ peer: name }): Participant[] => {
    const { title, runtime, program } = PEERS[name];
    const commandOf = runtimes.get(runtime);
    if (!commandOf) return [];
    return [{ name, start: () => startPeer({ title, command: commandOf(program), threads }, assignment) }];
  });
  return [
    { name: OURS, start: () => startOurs(assignment, options) },
    ...peers,
    ...(against ? [{ name: AGAINST, start: () => startsOf(against)(assignment, options) }] : []),
  ];
}
