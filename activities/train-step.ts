/**
 * A whole step at once, where the rule alone rewards: rounds of rollouts, scored as they come and drawn as that shows the
 * need, then the update on them. What the update rests on is published while the next round is sampled and the gradient
 * taken; the step itself after all of it.
 */
import { promptsToDraw } from '../workflows/refills.js';
import { type RolloutGroup, type Round, readKept, type ScoredRollouts } from './artifacts.js';
import type { EngineDependencies } from './dependencies.js';
import { Publications } from './publications.js';
import { newTokensOf, type RolloutInput, type StepInput, sampleRound } from './rollout.js';
import { effectiveOf, scoreGroups, scoresUri } from './score.js';
import type { RunSpec } from './spec.js';
import { type ArtifactRef, fenceOf, linesText, phaseNumber, readLines } from './store/index.js';
import { type Supervision, supervised } from './supervision.js';
import { type UpdateResult, updatePolicy } from './update.js';

export type TrainStepInput = StepInput;

export interface TrainStepResult extends UpdateResult {
  /** Whether too few groups taught anything: the policy is as before. */
  skipped: boolean;
  /** Sampled. */
  newTokens: number;
  /** Of the update alone: what a failure would have done again. */
  updateSeconds: number;
}

export function trainStep(deps: EngineDependencies) {
  return (input: TrainStepInput): Promise<TrainStepResult> =>
    supervised(`sampling for step ${input.step}`, async supervision => {
      const spec = await readKept<RunSpec>(deps.store, input.spec);
      const publications = new Publications(deps.store, supervision.check);
      try {
        const { rounds, effective, newTokens } = await sampleStep(deps, spec, input, supervision, publications);
        // A step without signal is logged and leaves the policy alone: an update on noise does harm.
        const skip = effective < rlOf(spec, input).signal.minEffectiveGroups;
        const sampled = performance.now();
        const updated = await updatePolicy(deps, spec, { ...input, rounds, skip }, supervision, publications);
        const updateSeconds = skip ? 0 : (performance.now() - sampled) / 1000;
        return { ...updated, skipped: skip, newTokens, updateSeconds };
      } finally {
        await publications.over();
      }
    });
}

const rlOf = (spec: RunSpec, { stage }: StepInput) => spec.phases[phaseNumber(stage.stage) - 1]!.rl;

/** Rounds until enough groups teach something, or no more may be drawn. */
async function sampleStep(
  deps: EngineDependencies,
  spec: RunSpec,
  input: StepInput,
  supervision: Supervision,
  publications: Publications,
): Promise<{ rounds: Round[]; effective: number; newTokens: number }> {
  const { promptsPerStep, maxRefills } = rlOf(spec, input);
  const rounds: Round[] = [];
  const seen = { drawn: 0, effective: 0 };
  let newTokens = 0;
  let isNew = false;
  while (rounds.length <= maxRefills && seen.effective < promptsPerStep) {
    const [refill, cursor] = [rounds.length, input.cursor + seen.drawn];
    const round = { ...input, refill, cursor, count: promptsToDraw(promptsPerStep, seen) };
    const { groups, published, uri } = await sampleRound(deps, spec, round, supervision, isNew);
    const rollouts = published ?? publications.add(uri, linesText(groups), fenceOf(input.stage));
    // Where a round is made just now, nothing that comes after it is in the store.
    isNew = !published;
    const { scores, scored } = await scoreRound(deps, round, groups, supervision, publications, isNew);
    rounds.push({ rollouts, scores });
    seen.drawn += groups.length;
    seen.effective += effectiveOf(scored);
    newTokens += newTokensOf(groups);
  }
  return { rounds, effective: seen.effective, newTokens };
}

/** The round's scores: those published, else made now. */
async function scoreRound(
  deps: EngineDependencies,
  input: RolloutInput,
  groups: readonly RolloutGroup[],
  supervision: Supervision,
  publications: Publications,
  isNew: boolean,
): Promise<{ scores: ArtifactRef; scored: ScoredRollouts[] }> {
  const { stage, step, refill } = input;
  const uri = scoresUri(stage, step, refill);
  const published = isNew ? null : await deps.store.find(uri);
  if (published) return { scores: published, scored: await readLines<ScoredRollouts>(deps.store, published) };
  const { scored } = await scoreGroups(deps, input, groups, supervision);
  return { scores: publications.add(uri, linesText(scored), fenceOf(stage)), scored };
}
