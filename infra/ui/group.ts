/** One group of a step: the prompt and every response to it, with what each was worth and why. */
import type { RolloutGroup, ScoredRollouts, StepSettings } from '../../activities/artifacts/index.js';
import { rulesOf, shapedReward } from '../../activities/engine/training/index.js';
import { readLines, type Store } from '../../activities/store/index.js';
import type { TextModel } from '../../activities/text/index.js';
import { isDamage, NotThereError } from './errors.js';
import { loggedRecord, type StepAt } from './step.js';
import { tokensOf } from './tokens.js';

export type TextOf = (run: string) => Promise<Pick<TextModel, 'documentText'>>;

/** In which round of the step it was drawn, and its place there. */
export interface GroupAt extends StepAt {
  round: number;
  line: number;
}

/** @throws NotThereError for one that the step does not have */
export async function groupOf(store: Store, textOf: TextOf, at: GroupAt) {
  const { inputs } = await loggedRecord(store, at);
  const round = inputs.rounds[at.round];
  if (!round) throw nothing(at);
  const [rollouts, scores] = await Promise.all([
    readLines<RolloutGroup>(store, round.rollouts),
    readLines<ScoredRollouts>(store, round.scores),
  ]);
  const [group, scored] = [rollouts[at.line], scores[at.line]];
  if (!group || !scored) throw nothing(at);
  const tokenizer = await tokenizerOf(textOf, at.stage.run);
  const advantages = advantagesOf(group, scored, inputs.settings);
  return {
    id: group.id,
    policy: group.policy,
    prompt: tokenizer.model?.documentText(group.promptIds) ?? null,
    promptTokens: group.promptIds.length,
    problem: tokenizer.problem,
    responses: group.responses.map(({ ids, logprobs, finish }, k) => {
      const { text, ...score } = scored.responses[k]!;
      const tokens = tokenizer.model && tokensOf(tokenizer.model, ids, logprobs);
      return { text, tokens, length: ids.length, finish, advantage: advantages?.[k] ?? null, ...score };
    }),
  };
}

/** As the step's algorithm has them; null of a group without rewards. */
function advantagesOf(group: RolloutGroup, { dropped, responses }: ScoredRollouts, settings: StepSettings) {
  if (settings.kind !== 'rl' || dropped === 'unscored') return null;
  const { loss } = settings;
  const rewards = responses.map(({ reward }, k) => shapedReward(reward!, group.responses[k]!.ids.length, loss));
  return rulesOf(loss.algorithm).advantages(rewards);
}

/** Without it the responses are shown as they were scored, and the prompt is not. */
async function tokenizerOf(textOf: TextOf, run: string) {
  try {
    return { model: await textOf(run), problem: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { model: null, problem: error.message };
  }
}

const nothing = ({ step, round, line }: GroupAt) =>
  new NotThereError(`Step ${step} has no group ${line} in round ${round}.`);
