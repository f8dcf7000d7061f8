/**
 * A run's books, from its redo log: every optimiser step and every rollout must be there once. Looks at one run alone,
 * so it needs no other to compare with.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type RolloutGroup,
  type ScoredRollouts,
  sampledBy,
  type UpdateRecord,
} from '../../activities/artifacts/index.js';
import { stageNumber } from '../../activities/contract/index.js';

export interface Ledger {
  steps: number;
  /** Groups of rollouts drawn, in all rounds. */
  groups: number;
  responses: number;
  /** Empty where nothing is lost and nothing is there twice. */
  errors: string[];
}

/** @param lost what was in files that are damaged and that nobody read again, by their paths */
export async function readLedger(
  store: string,
  run: string,
  lost: ReadonlyMap<string, Buffer> = new Map(),
): Promise<Ledger> {
  const read = async (file: string) => lost.get(file)?.toString('utf8') ?? readFile(file, 'utf8');
  const folder = join(store, 'runs', run);
  const ledger: Ledger = { steps: 0, groups: 0, responses: 0, errors: [] };
  const stages = (await readdir(folder)).filter(name => /^(warmup|phase-\d+)$/.test(name)).sort(byStage);
  let policy: string | null = json<{ name: string }>(await read(join(folder, 'base.json'))).name;
  for (const stage of stages) {
    const steps = join(folder, stage, '1', 'steps');
    const numbers = (await readdir(steps)).map(Number).sort((a, b) => a - b);
    let cursor = 0;
    /** What the step before began with. */
    let before: string | null = null;
    for (const [k, number] of numbers.entries()) {
      const where = `${stage}, step ${number}`;
      if (number !== k + 1) ledger.errors.push(`${where}: step ${k + 1} is not in the log`);
      const found = await readStep(join(steps, String(number)), where, ledger, read);
      if (!found) continue;
      const { record, rounds } = found;
      if (record.inputs.parent.name !== policy)
        ledger.errors.push(
          `${where} begins from policy ${record.inputs.parent.name}; the step before ended in ${policy}`,
        );
      const { parent, sampler } = record.inputs;
      if (sampler && sampler.name !== before)
        ledger.errors.push(`${where} was sampled by ${sampler.name}; the step before began with ${before}`);
      before = parent.name;
      policy = record.result.name;
      ledger.steps++;
      for (const [round, { name, rollouts, scores }] of rounds.entries()) {
        for (const [i, group] of rollouts.entries()) {
          if (group.cursor !== cursor)
            ledger.errors.push(`${where}, ${name}: draw ${group.cursor} of the phase, expected ${cursor}`);
          cursor = group.cursor + 1;
          if (group.policy !== sampledBy(record.inputs, round).name)
            ledger.errors.push(`${where}, ${name}: sampled by ${group.policy}, not the step's own policy`);
          if (scores[i]?.id !== group.id || scores[i]?.responses.length !== group.responses.length)
            ledger.errors.push(`${where}, ${name}: line ${i + 1} has no verdict of its own`);
          ledger.responses += group.responses.length;
        }
        if (scores.length !== rollouts.length)
          ledger.errors.push(`${where}, ${name}: ${scores.length} verdicts on ${rollouts.length} groups`);
        ledger.groups += rollouts.length;
      }
    }
  }
  return ledger;
}

interface Round {
  name: string;
  rollouts: RolloutGroup[];
  scores: ScoredRollouts[];
}

async function readStep(
  folder: string,
  where: string,
  { errors }: Ledger,
  read: (file: string) => Promise<string>,
): Promise<{ record: UpdateRecord; rounds: Round[] } | null> {
  const names = (await readdir(folder)).filter(name => !name.startsWith('.') && !name.includes('damaged'));
  if (!names.includes('update.json')) {
    errors.push(`${where}: no update.json`);
    return null;
  }
  const record = json<UpdateRecord>(await read(join(folder, 'update.json')));
  const used = record.inputs.rounds.flatMap(({ rollouts, scores }) => [rollouts.uri, scores.uri]).map(lastOf);
  for (const name of names) {
    if (name.includes('diverged')) errors.push(`${where}: a second, other result: ${name}`);
    else if (name !== 'update.json' && !used.includes(name)) errors.push(`${where}: ${name} went into no update`);
  }
  const rounds: Round[] = [];
  for (const { rollouts, scores } of record.inputs.rounds) {
    const name = lastOf(rollouts.uri);
    try {
      const [a, b] = [join(folder, name), join(folder, lastOf(scores.uri))];
      rounds.push({ name, rollouts: lines<RolloutGroup>(await read(a)), scores: lines<ScoredRollouts>(await read(b)) });
    } catch (error) {
      errors.push(`${where}, ${name}: ${(error as Error).message}`);
    }
  }
  return { record, rounds };
}

const lastOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
const byStage = (a: string, b: string): number => stageNumber(a) - stageNumber(b);
const json = <T>(text: string): T => JSON.parse(text) as T;
const lines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T);
