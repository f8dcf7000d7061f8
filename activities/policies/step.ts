/**
 * One training step as a function from a policy and logged inputs to a policy. The same function makes a step and, from
 * the redo log, makes it again: equal inputs give equal bits.
 */
import {
  type RolloutGroup,
  readData,
  type ScoredRollouts,
  type StepInputs,
  type TraceItem,
  type UpdateRecord,
} from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import type { CallOptions, LossSettings, ScoredGroup } from '../engine/protocol/index.js';
import { shapedReward, taskDeviations } from '../engine/training/index.js';
import { hashOf, readLines, type TextReader } from '../store/index.js';
import { withSnapshot } from './checkpoint.js';

/** Identity of the policy that a step makes: parent, inputs and settings, by content. */
export function policyName(inputs: StepInputs): string {
  return hashOf({
    parent: inputs.parent.name,
    freshOptimizer: inputs.freshOptimizer,
    examples: inputs.examples && { data: inputs.examples.data.sha256, lines: inputs.examples.lines },
    rounds: inputs.rounds.map(round => [round.rollouts.sha256, round.scores.sha256]),
    settings: inputs.settings,
    reference: inputs.reference?.name,
  }).slice(0, 32);
}

export interface StepOutcome {
  /** SHA-256 that the trained weights' file would have. */
  sha256: string;
  metrics: UpdateRecord['metrics'];
}

/**
 * Applies the step to the parent policy, which must be loaded; afterwards the engine's tag is the policy's name.
 * @param log where its rounds are read
 */
export async function applyStep(
  deps: PolicyDependencies,
  inputs: StepInputs,
  call: CallOptions,
  log: TextReader = deps.store,
): Promise<StepOutcome> {
  const metrics =
    inputs.settings.kind === 'sft' ? await applySft(deps, inputs, call) : await applyRl(deps, inputs, call, log);
  const { sha256 } = await deps.engine.call('fingerprint', {}, call);
  return { sha256, metrics };
}

async function applySft(deps: PolicyDependencies, inputs: StepInputs, call: CallOptions) {
  const { settings, examples } = inputs;
  if (settings.kind !== 'sft' || !examples) throw new TypeError('An SFT step needs examples and SFT settings');
  const items = await readData<TraceItem>(deps.store, examples.data);
  const { seconds: _, ...metrics } = await deps.engine.call(
    'sft',
    {
      examples: examples.lines.map(line => ({
        promptIds: items[line]!.promptIds,
        responseIds: items[line]!.responseIds,
      })),
      optimizer: settings.optimizer,
      microBatchTokens: settings.microBatchTokens,
      tag: policyName(inputs),
    },
    call,
  );
  return [metrics];
}

async function applyRl(deps: PolicyDependencies, inputs: StepInputs, call: CallOptions, log: TextReader) {
  const { settings } = inputs;
  if (settings.kind !== 'rl') throw new TypeError('An RL step needs RL settings');
  const { loss } = settings;
  if (inputs.reference) await ensureReferenceLoaded(deps, inputs.reference, call);
  const sampled = scaledByTask(await trainedGroups(log, inputs), loss);
  // Scored before the first update, under the weights that the step begins with: those that sampled, or came from them by
  // one step. What a token weighs makes up for both, sampler and step.
  const groups = loss.importanceCap ? await withProximal(deps, sampled, loss, call) : sampled;
  const name = policyName(inputs);
  const metrics: UpdateRecord['metrics'] = [];
  for (let start = 0; start < groups.length; start += settings.groupsPerUpdate) {
    const last = start + settings.groupsPerUpdate >= groups.length;
    const { seconds: _, ...update } = await deps.engine.call(
      'update',
      {
        groups: groups.slice(start, start + settings.groupsPerUpdate),
        loss,
        optimizer: settings.optimizer,
        microBatchTokens: settings.microBatchTokens,
        // A name of its own between the updates: an interrupted step is never taken for a finished one.
        tag: last ? name : `${name}#${metrics.length + 1}`,
      },
      call,
    );
    metrics.push(update);
  }
  return metrics;
}

/** Beside the policy in the engine, which forgets it with the next policy that it loads. */
async function ensureReferenceLoaded(deps: PolicyDependencies, policy: PolicyRef, call: CallOptions): Promise<void> {
  const { reference } = await deps.engine.call('status', {}, call);
  if (reference === policy.name) return;
  await withSnapshot(deps.store, policy, 'weights', ({ directory, adapter }) =>
    deps.engine.call('reference', { directory, adapter, tag: policy.name }, call),
  );
}

/** The groups with the trainer's own log-probabilities of their responses under the loaded policy. */
async function withProximal(
  deps: PolicyDependencies,
  groups: readonly ScoredGroup[],
  { temperature, truncation }: LossSettings,
  call: CallOptions,
): Promise<ScoredGroup[]> {
  const { logprobs } = await deps.engine.call(
    'score',
    {
      groups: groups.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(r => r.ids) })),
      temperature,
      ...(truncation && { truncation }),
    },
    call,
  );
  return groups.map((group, i) => ({
    ...group,
    responses: group.responses.map((response, j) => ({ ...response, proximal: logprobs[i]![j]! })),
  }));
}

/** The groups with their tasks' deviations over the whole step, however many updates it is split into. */
function scaledByTask(groups: readonly TaskGroup[], loss: LossSettings): ScoredGroup[] {
  if (!loss.advantageScale) return groups.map(({ task: _, ...group }) => group);
  const deviations = deviationsIn(groups, loss);
  return groups.map(({ task, ...group }) => ({ ...group, deviation: deviations.get(task!)! }));
}

const deviationsIn = (groups: readonly TaskGroup[], loss: LossSettings): Map<string, number> =>
  taskDeviations(
    groups.map(({ task, responses }) => ({
      task: task!,
      rewards: responses.map(({ reward, ids }) => shapedReward(reward, ids.length, loss)),
    })),
  );

/**
 * What a step divided the advantages of each task by; null of one that did not.
 * @param log where its rounds are read
 */
export async function deviationsOf(log: TextReader, inputs: StepInputs): Promise<Map<string, number> | null> {
  const { settings } = inputs;
  if (settings.kind !== 'rl' || !settings.loss.advantageScale) return null;
  return deviationsIn(await trainedGroups(log, inputs), settings.loss);
}

type TaskGroup = ScoredGroup & Pick<RolloutGroup, 'task'>;

/** The groups a step trains on, in draw order. */
async function trainedGroups(log: TextReader, inputs: StepInputs): Promise<TaskGroup[]> {
  const { settings } = inputs;
  if (settings.kind !== 'rl') return [];
  const groups: TaskGroup[] = [];
  for (const round of inputs.rounds) {
    const rollouts = await readLines<RolloutGroup>(log, round.rollouts);
    const scores = await readLines<ScoredRollouts>(log, round.scores);
    rollouts.forEach((rollout, k) => {
      const score = scores[k]!;
      if (score.dropped === 'unscored' || (settings.take === 'effective' && score.dropped)) return;
      groups.push({
        ...(rollout.task !== undefined && { task: rollout.task }),
        promptIds: rollout.promptIds,
        responses: rollout.responses.map(({ ids, logprobs }, i) => ({
          ids,
          logprobs,
          reward: score.responses[i]!.reward!,
        })),
      });
    });
  }
  return settings.take === 'effective' ? groups.slice(0, settings.groups) : groups;
}
