/** Which prompts a step draws: an endless sequence over the phase's pool, the same however often it is gone through. */
import { type Pool, type PromptItem, type RolloutGroup, readData, readKept, taskOf } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import { epochDraw, permutation, randomStream } from '../engine/random.js';
import type { RunSpec } from '../spec/index.js';
import type { ArtifactRef, StageAttempt, Store } from '../store/index.js';
import { phaseOf } from './phase-of.js';

export interface Draw {
  stage: StageAttempt;
  data: ArtifactRef;
  pool: ArtifactRef;
  /** Who is to answer. */
  policy: PolicyRef;
  step: number;
  refill: number;
  /** Position in the phase's sequence of draws, and how many prompts to take there. */
  cursor: number;
  count: number;
}

/** The prompts at the cursor, each with a seed of its own for its responses. */
export async function drawPrompts(
  store: Store,
  spec: RunSpec,
  { stage, step, refill, cursor, count, data, pool, policy }: Draw,
): Promise<Omit<RolloutGroup, 'responses'>[]> {
  const { balanceTasks, advantageScale } = phaseOf(spec, stage.stage).rl;
  const items = await readData<PromptItem>(store, data);
  const { entries } = await readKept<Pool>(store, pool);
  const streams = balanceTasks ? byTask(entries, items) : [{ name: [], entries }];
  const drawOf = streams.map(stream =>
    endless(stream.entries, epoch =>
      randomStream(spec.seed, stage.stage, stage.attempt, 'epoch', ...stream.name, epoch),
    ),
  );
  return Array.from({ length: count }, (_, k) => {
    const at = cursor + k;
    const { id, index, origin } = drawOf[at % streams.length]!(Math.floor(at / streams.length));
    const seed = [spec.seed, stage.stage, stage.attempt, step, refill, at, id].join('/');
    const item = items[index]!;
    const scaled = advantageScale === 'task' ? { task: taskOf(item) } : {};
    return { policy: policy.name, id, index, origin, cursor: at, seed, promptIds: item.promptIds, ...scaled };
  });
}

type Entries = Pool['entries'];

/** A stream for each task in the pool, in the order of their names: they take turns, so each step has equally many of each. */
function byTask(entries: Entries, items: readonly PromptItem[]): { name: string[]; entries: Entries }[] {
  const tasks = [...new Set(entries.map(({ index }) => taskOf(items[index]!)))].sort();
  return tasks.map(task => ({ name: [task], entries: entries.filter(({ index }) => taskOf(items[index]!) === task) }));
}

/** Every epoch goes through the entries in an order of its own. */
function endless(
  entries: Entries,
  random: (epoch: number) => ReturnType<typeof randomStream>,
): (at: number) => Entries[number] {
  const orders = new Map<number, number[]>();
  const orderOf = (epoch: number) => {
    const order = orders.get(epoch) ?? permutation(entries.length, random(epoch));
    orders.set(epoch, order);
    return order;
  };
  return at => entries[epochDraw(at, entries.length, orderOf)]!;
}
