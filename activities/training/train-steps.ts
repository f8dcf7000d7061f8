/**
 * Whole steps at once, where the rule alone rewards: rounds of rollouts, scored as they come and drawn as that shows the
 * need, then the update on them. All of it is published in that order, while the next round is sampled, the gradient taken
 * and the next step begun.
 */
import { type RolloutGroup, type Round, readKept, type ScoredRollouts } from '../artifacts/index.js';
import { type PolicyRef, promptsToDraw, samplesAhead } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { Publications } from '../policies/index.js';
import type { RunSpec } from '../spec/index.js';
import { type ArtifactRef, fenceOf, linesText, readLines } from '../store/index.js';
import { type Supervision, supervised, timeLimit } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';
import { phaseOf } from './phase-of.js';
import { newTokensOf, type RolloutInput, type StepInput, sampleRound } from './rollout.js';
import { effectiveOf, scoreGroups, scoresUri } from './score.js';
import { type UpdateResult, updateBeside } from './update.js';

export interface TrainStepsInput extends StepInput {
  /** The last of them. */
  to: number;
  /** After which no further step is begun. */
  seconds: number;
}

/** Policy, counts and metrics are the last step's. */
export interface TrainStepsResult extends UpdateResult {
  /** The last that was made: `to`, or before it one that taught nothing or with which the time was up. */
  step: number;
  /** Whether in that one too few groups taught anything: the policy is as before. */
  skipped: boolean;
  /** Prompts drawn and tokens sampled, in all steps. */
  drawn: number;
  newTokens: number;
  /** Of the updates alone: what a failure would have done again. */
  updateSeconds: number;
  /** Which policy samples the first round of the step that follows; absent where that is its own. */
  before?: PolicyRef;
}

export function trainSteps(deps: EngineDependencies) {
  return (input: TrainStepsInput): Promise<TrainStepsResult> =>
    supervised(`sampling for step ${input.step}`, async supervision => {
      const spec = await readKept<RunSpec>(deps.store, input.spec);
      return Publications.during(deps.store, supervision.check, async publications => {
        const isOver = timeLimit(input.seconds);
        const take = (next: StepInput) => trainStep(deps, spec, next, supervision, publications);
        // Of each step: but for the first, the step before says who samples its first round.
        const { before: _, ...always } = input;
        let made = await take(input);
        while (made.step < input.to && !made.skipped && !isOver()) {
          const { policy, step, drawn, newTokens, updateSeconds, before } = made;
          const next = { policy, entry: false, step: step + 1, cursor: input.cursor + drawn };
          const then = await take({ ...always, ...next, ...(before && { before }) });
          made = {
            ...then,
            drawn: drawn + then.drawn,
            newTokens: newTokens + then.newTokens,
            updateSeconds: updateSeconds + then.updateSeconds,
          };
        }
        return made;
      });
    });
}

async function trainStep(
  deps: EngineDependencies,
  spec: RunSpec,
  input: StepInput,
  supervision: Supervision,
  publications: Publications,
): Promise<TrainStepsResult> {
  const { step } = input;
  const { rounds, drawn, effective, newTokens } = await sampleStep(deps, spec, input, supervision, publications);
  // A step without signal is logged and leaves the policy alone: an update on noise does harm.
  const { rl, steps } = phaseOf(spec, input.stage.stage);
  const skipped = effective < rl.signal.minEffectiveGroups;
  const { data, pool, policy } = input;
  const isAhead = samplesAhead({ overlap: rl.overlap, steps }, { step, skipped });
  const change = {
    ...{ ...input, rounds, skip: skipped },
    ...(isAhead && { ahead: { data, pool, cursor: input.cursor + drawn } }),
  };
  const { result, seconds } = await updateBeside(deps, spec, change, supervision, publications);
  return {
    ...{ ...result, step, skipped, drawn, newTokens, updateSeconds: seconds },
    ...(isAhead && { before: policy }),
  };
}

/** Rounds until enough groups teach something, or no more may be drawn. */
async function sampleStep(
  deps: EngineDependencies,
  spec: RunSpec,
  input: StepInput,
  supervision: Supervision,
  publications: Publications,
): Promise<{ rounds: Round[]; drawn: number; effective: number; newTokens: number }> {
  const { promptsPerStep, maxRefills } = phaseOf(spec, input.stage.stage).rl;
  const rounds: Round[] = [];
  const seen = { drawn: 0, effective: 0 };
  let newTokens = 0;
  let isNew = false;
  const logged = () => publications.done();
  while (rounds.length <= maxRefills && seen.effective < promptsPerStep) {
    publications.check();
    const [refill, cursor] = [rounds.length, input.cursor + seen.drawn];
    const round = { ...input, refill, cursor, count: promptsToDraw(promptsPerStep, seen) };
    const sample = () => sampleRound(deps, spec, round, supervision, { isNew, logged });
    const { groups, published, uri } = await timed(deps, 'rollout', sample);
    const rollouts = published ?? publications.text(uri, linesText(groups), fenceOf(input.stage));
    // Where a round is made just now, nothing that comes after it is in the store.
    isNew = !published;
    const { scores, scored } = await scoreRound(deps, round, groups, supervision, publications, isNew);
    rounds.push({ rollouts, scores });
    seen.drawn += groups.length;
    seen.effective += effectiveOf(scored);
    newTokens += newTokensOf(groups);
  }
  return { rounds, ...seen, newTokens };
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
  const { scored } = await timed(deps, 'score', () => scoreGroups(deps, input, groups, supervision));
  return { scores: publications.text(uri, linesText(scored), fenceOf(stage)), scored };
}
