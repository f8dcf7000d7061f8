/** Our side of a row: an engine process that has loaded the row's model. */
import { createEngine, type EngineOptions } from '../../activities/engine/process/index.js';
import type { Engine, LossSettings, ScoredGroup } from '../../activities/engine/protocol/index.js';
import type { Repetition, Side } from './side.js';
import { type Assignment, rewardOf, type Work } from './work.js';

type Evidence = Omit<Repetition, 'seconds'>;
type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }>;

/** For each kind of work what is done before the clock runs, giving what is done while it does. */
const KINDS: {
  [K in Work['kind']]: (engine: Engine, assignment: Assignment, work: WorkOf<K>) => Promise<() => Promise<Evidence>>;
} = {
  rollouts: rollingOut,

  groups: rollingOut,

  grpo: async (engine, assignment, work) => {
    let turn = 0;
    return async () => {
      const groups = await rollOut(engine, assignment, work, turn++);
      await engine.call('update', updateRequest(assignment, work, groups));
      return {};
    };
  },

  update: async (engine, assignment, work) => {
    const request = updateRequest(assignment, work, await scoredGroups(engine, assignment, work));
    return async () => ({ gradNorm: (await engine.call('update', request)).gradNorm });
  },

  training: async (engine, { tokens, optimizer }, { batch, length }) => {
    const examples = tokens.sequences.map(ids => ({ promptIds: ids.slice(0, 1), responseIds: ids.slice(1) }));
    const request = { examples, optimizer, microBatchTokens: batch * length, tag: 'trained' };
    return async () => ({ gradNorm: (await engine.call('sft', request)).gradNorm });
  },
};

/** Starts the engine and makes everything ready for the first repetition. */
export async function startOurs(assignment: Assignment, options: EngineOptions = {}): Promise<Side> {
  const engine = createEngine({ threads: assignment.threads, ...options });
  try {
    await engine.call('load', { directory: assignment.directory, optimizer: null, tag: 'loaded' });
    const { pid } = await engine.call('status', {});
    const kind = KINDS[assignment.work.kind] as (e: Engine, a: Assignment, w: Work) => Promise<() => Promise<Evidence>>;
    const perform = await kind(engine, assignment, assignment.work);
    return {
      pid,
      versions: {},
      repeat: async () => {
        const started = performance.now();
        const evidence = await perform();
        return { seconds: (performance.now() - started) / 1000, ...evidence };
      },
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function rollingOut(engine: Engine, assignment: Assignment, work: WorkOf<'rollouts' | 'groups'>) {
  let turn = 0;
  return async () => {
    await rollOut(engine, assignment, work, turn++);
    return {};
  };
}

/** Each prompt's rollouts with their rewards. @param turn repetitions differ in what they sample, as a training run's steps do */
async function rollOut(
  engine: Engine,
  { tokens }: Assignment,
  { group, newTokens, temperature, topP }: WorkOf<'rollouts' | 'groups' | 'grpo'>,
  turn: number,
): Promise<ScoredGroup[]> {
  const { groups } = await engine.call('generate', {
    prompts: tokens.prompts.map((ids, p) => ({ ids, seed: p === 0 ? `bench ${turn}` : `bench ${turn}, prompt ${p}` })),
    group,
    sampling: { temperature, topP, topK: 0, maxNewTokens: newTokens, stopIds: [] },
  });
  return groups.map(({ responses }, p) => ({
    promptIds: tokens.prompts[p]!,
    responses: responses.map(({ ids, logprobs }) => ({ ids, logprobs, reward: rewardOf(ids) })),
  }));
}

/** The assignment's groups with the policy's own log-probabilities, so that every ratio begins at 1. */
async function scoredGroups(
  engine: Engine,
  { tokens }: Assignment,
  { temperature }: WorkOf<'update'>,
): Promise<ScoredGroup[]> {
  const groups: ScoredGroup[] = [];
  for (const [g, promptIds] of tokens.prompts.entries()) {
    const sequences = tokens.responses[g]!.map(ids => [...promptIds, ...ids]);
    const { logprobs } = await engine.call('logprobs', { sequences, temperature });
    const responses = tokens.responses[g]!.map((ids, i) => ({
      ids,
      logprobs: logprobs[i]!.slice(promptIds.length) as number[],
      reward: rewardOf(ids),
    }));
    groups.push({ promptIds, responses });
  }
  return groups;
}

/** Token-mean clipped policy gradient; a pass takes one group, as the other side's does. */
function updateRequest(
  { optimizer, clip }: Assignment,
  { promptTokens, group, newTokens, temperature }: WorkOf<'grpo' | 'update'>,
  groups: ScoredGroup[],
) {
  const loss: LossSettings = {
    algorithm: 'dapo',
    clipLow: clip,
    clipHigh: clip,
    temperature,
    overlong: null,
    tokenMean: 'batch',
  };
  return { groups, loss, optimizer, microBatchTokens: promptTokens + group * newTokens, tag: 'updated' };
}
