/**
 * A step in parts: sampling, scoring and the update are activities each. So that no accelerator waits for a judge where
 * others reward responses, and so that several sample where the rollouts are cut into shards.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Round } from '../activities/artifacts/index.js';
import { type JudgeUsage, promptsToDraw, samplesAhead } from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { StageSettings } from '../activities/run/index.js';
import type { RolloutInput, RolloutResult, StepInput, TrainStepsResult } from '../activities/training/index.js';
import { DATA, engineActivities } from './options.js';
import { inShards } from './shards.js';

const { gatherRollouts, score } = proxyActivities<ControlActivities>(DATA);

export interface JudgedStep extends TrainStepsResult {
  judge?: JudgeUsage;
}

export async function stepByParts(
  { cursor, pool, ...input }: StepInput,
  { steps, engine, ...settings }: StageSettings,
): Promise<JudgedStep> {
  const rl = settings.rl!;
  const { update } = engineActivities(engine);
  const { stage, spec, data, step } = input;
  const rounds: Round[] = [];
  const seen = { drawn: 0, effective: 0, newTokens: 0 };
  let judge: JudgeUsage | undefined;

  while (rounds.length <= rl.maxRefills && seen.effective < rl.promptsPerStep) {
    const round = { refill: rounds.length, cursor: cursor + seen.drawn, count: promptsToDraw(rl.promptsPerStep, seen) };
    const { more = [], ...first } = await sampled({ ...input, pool, ...round }, engine, rl.shards);
    // Version 0.2 scored a round in its rollout where the rule alone rewards, and sampled further ones there.
    for (const { rollouts, newTokens, ...sampled } of [first, ...more]) {
      const refill = rounds.length;
      const scored = sampled.scored ?? (await score({ stage, spec, data, step, refill, rollouts }));
      rounds.push({ rollouts, scores: scored.scores });
      seen.drawn += scored.groups;
      seen.effective += scored.effective;
      seen.newTokens += newTokens;
      judge = scored.judge ? usageSum(judge, scored.judge) : judge;
    }
  }

  // A step without signal is logged and leaves the policy alone: an update on noise does harm.
  const skipped = seen.effective < rl.minEffectiveGroups;
  const began = Date.now();
  const { policy, entry, before } = input;
  const isAhead = samplesAhead({ overlap: rl.overlap, steps }, { step, skipped });
  const updated = await update({
    ...{ stage, spec, policy, entry, step, rounds, skip: skipped },
    ...(before && { before }),
    ...(isAhead && { ahead: { data, pool, cursor: cursor + seen.drawn } }),
    ...(judge && { judge }),
    ...(rl.shards !== undefined && { shards: rl.shards }),
  });
  const updateSeconds = skipped ? 0 : (Date.now() - began) / 1000;
  const { drawn, newTokens } = seen;
  return {
    ...{ ...updated, step, drawn, skipped, newTokens, updateSeconds },
    ...(isAhead && { before: policy }),
    ...(judge && { judge }),
  };
}

/** A round, of whose shards none is without a prompt. */
async function sampled(round: RolloutInput, engine: StageSettings['engine'], shards = 1): Promise<RolloutResult> {
  const { rollout } = engineActivities(engine);
  if (shards === 1) return rollout(round);
  const { stage, step, refill, count } = round;
  const parts = await inShards(Math.min(shards, count), shard => rollout({ ...round, shard }));
  return gatherRollouts({ stage, step, refill, shards: parts.map(({ rollouts }) => rollouts) });
}

function usageSum(a: JudgeUsage | undefined, b: JudgeUsage): JudgeUsage {
  if (!a) return b;
  return {
    asked: a.asked + b.asked,
    cached: a.cached + b.cached,
    failed: a.failed + b.failed,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}
