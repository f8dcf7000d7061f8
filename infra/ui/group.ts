/** One group of a step: the prompt and every response to it, with what each was worth and why. */
import type { RolloutGroup, ScoredRollouts, StepSettings } from '../../activities/artifacts/index.js';
import { groupAdvantages, shapedReward } from '../../activities/engine/training/index.js';
import { deviationsOf } from '../../activities/policies/index.js';
import { codeText } from '../../activities/provenance/index.js';
import { explainRule } from '../../activities/rewards/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import { type OpenedStore, readLines, type Store } from '../../activities/store/index.js';
import type { TextModel } from '../../activities/text/index.js';
import { commandOn } from '../local/command-lines.js';
import { measuredTokens } from '../proof/measured-tokens.js';
import { isDamage, NotThereError } from './errors.js';
import { promptParts } from './prompt-parts.js';
import type { Sample, Samples } from './samples.js';
import { basisOf } from './stages.js';
import { loggedRecord, type StepAt } from './step.js';
import { tokensOf } from './tokens.js';

export type TextOf = (run: string) => Promise<Pick<TextModel, 'documentText'>>;

/** In which round of the step it was drawn, and its place there. */
export interface GroupAt extends StepAt {
  round: number;
  line: number;
}

export interface GroupParts {
  store: OpenedStore;
  samples: Samples;
  textOf: TextOf;
}

/** @throws NotThereError for one that the step does not have */
export async function groupOf({ store, samples, textOf }: GroupParts, at: GroupAt) {
  const { inputs } = await loggedRecord(store, at);
  const round = inputs.rounds[at.round];
  if (!round) throw nothing(at);
  const [rollouts, scores] = await Promise.all([
    readLines<RolloutGroup>(store, round.rollouts),
    readLines<ScoredRollouts>(store, round.scores),
  ]);
  const [group, scored] = [rollouts[at.line], scores[at.line]];
  if (!group || !scored) throw nothing(at);
  const { run } = at.stage;
  const { spec } = await basisOf(store, run);
  const problems: string[] = [];
  const sample = await samples.at(run, group.index, message => void problems.push(message));
  const model = await tokenizerOf(textOf, run, problems);
  const advantages = advantagesOf(group, scored, inputs.settings, await deviationsOf(store, inputs));
  const measured = await measuredOf(store, at, problems);
  return {
    id: group.id,
    index: group.index,
    policy: group.policy,
    question: sample?.question ?? null,
    golds: sample?.answers ?? [],
    prompt: model && promptParts(model.documentText(group.promptIds), shapeOf(spec, sample)),
    promptTokens: group.promptIds.length,
    problems,
    /** Whether the step's tokens were measured, and what that says of them. */
    measured: measured && { entropy: measured.entropies !== null, code: codeText(measured.code) },
    measure: measureCommand(store, at),
    responses: group.responses.map(({ ids, logprobs, finish }, k) => {
      const { text, ...score } = scored.responses[k]!;
      const [entropy, trainer] = [measured?.entropies?.[k], measured?.logprobs[k]];
      const tokens = model && tokensOf(model, ids, { logprob: logprobs, entropy, trainer });
      const explanation = sample && score.reward !== undefined ? explained(spec, sample, text) : null;
      return { text, tokens, length: ids.length, finish, advantage: advantages?.[k] ?? null, explanation, ...score };
    }),
  };
}

/** By which its tokens are measured. */
const measureCommand = ({ root }: OpenedStore, { stage: { run, stage, attempt }, step }: GroupAt): string =>
  commandOn(root, 'tokens', run, ...['--stage', stage, '--attempt', String(attempt), '--step', String(step)]);

const shapeOf = ({ prompt: { template, numbered } }: RunSpec, sample: Sample | null) => ({
  template,
  numbered,
  evidence: sample?.evidence ?? [],
});

/** Null where nobody measured the step; a damaged file is told of, and does without. */
async function measuredOf(store: Store, { stage, step, round, line }: GroupAt, problems: string[]) {
  try {
    return (await measuredTokens(store, stage, step, round))?.[line] ?? null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push(error.message);
    return null;
  }
}

/** What the rule compared with what: it says the same whenever it is asked. */
function explained({ reward }: RunSpec, { task, question, answers, thinkingOpen }: Sample, response: string) {
  const context = { question, promptOpensThinking: thinkingOpen };
  return explainRule(reward.scorer, task, response, answers, context).comparisons;
}

/**
 * As the step's loss has them; null of a group without rewards.
 * @param deviations of the tasks that the step was trained on, where it divides by them: of others there is none
 */
function advantagesOf(
  group: RolloutGroup,
  { dropped, responses }: ScoredRollouts,
  settings: StepSettings,
  deviations: Map<string, number> | null,
) {
  if (settings.kind !== 'rl' || dropped === 'unscored') return null;
  const { loss } = settings;
  const deviation = deviations?.get(group.task!);
  if (deviations && deviation === undefined) return null;
  const rewards = responses.map(({ reward }, k) => shapedReward(reward!, group.responses[k]!.ids.length, loss));
  return groupAdvantages(rewards, loss, deviation);
}

/** Without it the responses are shown as they were scored, and the prompt is not. */
async function tokenizerOf(textOf: TextOf, run: string, problems: string[]) {
  try {
    return await textOf(run);
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push(error.message);
    return null;
  }
}

const nothing = ({ step, round, line }: GroupAt) =>
  new NotThereError(`Step ${step} has no group ${line} in round ${round}.`);
