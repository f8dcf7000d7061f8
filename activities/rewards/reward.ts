/**
 * The reward of a group of responses: max(rule, judge), as QwenLong-L1 has it (arXiv 2505.17667, section 3.3); in its place
 * or beside it a user's own, and on top of it what the evidence that a response cites is worth.
 */
import type { Task } from '../datasets/index.js';
import type { Environment, RetryClock } from '../remote/index.js';
import type { Store } from '../store/index.js';
import { type CustomRewards, createCustomRewarder } from './custom.js';
import { evidenceReward } from './evidence.js';
import { createJudge, type JudgeUsage, type JudgeVerdict } from './judge.js';
import type { Judged } from './judge-prompt.js';
import { scoreRule, type Verdict } from './rules.js';
import { type Finish, type ResponseContext, saidIn } from './said.js';
import type { CustomSettings, JudgeSettings, RewardSettings } from './settings.js';

/** A question and the responses to it that are rewarded together. */
export interface GroupToReward {
  /** The sample's id, for messages. */
  id: string;
  task: Task;
  question: string;
  answers: readonly string[];
  responses: readonly string[];
  /** How each response ended, where that is known: one that was cut off gives no answer that it had not ended, and is not judged. */
  finishes?: readonly (Finish | undefined)[] | undefined;
  /** Whether the prompt ended inside <think>, so that a response without </think> is thought to its end. */
  promptOpensThinking?: boolean | undefined;
  /** As the model read it: for a custom reward alone. */
  prompt?: string | undefined;
  /** Numbers, from 1, of the documents that the answer rests on: for an evidence reward alone. */
  evidence?: readonly number[] | undefined;
}

export interface ResponseReward {
  /** What training sees. */
  reward: number;
  /** The rule's own score. */
  rule: 0 | 1;
  /** The answer as found in the response; null when none was. */
  extracted: string | null;
  /** Why, for people. */
  reason: string;
  /** Where the judge was asked. */
  judge?: JudgeVerdict;
}

/** Rewards for every response of the group, in order; or none for any, and why: a group is never scored in part. */
export type GroupReward = { rewards: ResponseReward[] } | { rewards: null; unscored: string };

export interface RewardOptions {
  /** Ends what is asked of others. */
  signal: AbortSignal;
  /** Says what is being done now, in a few words. */
  note(doing: string): void;
}

export interface Rewards {
  /** For each group, in order. */
  groups: GroupReward[];
  /** What the judge was asked; null without one. */
  judge: JudgeUsage | null;
}

export interface Rewarder {
  /** Whether rewards may be others the next time: somebody outside is asked. */
  asksOthers: boolean;
  reward(groups: readonly GroupToReward[], options: RewardOptions): Promise<Rewards>;
}

/** What rewarding needs of the worker that does it. */
export interface RewarderDependencies {
  store: Store;
  environment: Environment;
  clock?: RetryClock;
}

/** Tasks whose answers are one letter: nothing is left to judge. */
const NEVER_JUDGED: readonly Task[] = ['choice'];

export function createRewarder(settings: RewardSettings, deps: RewarderDependencies): Rewarder {
  const { judge, custom } = settings;
  // Verdicts that a custom reward replaces would be asked for in vain.
  const asked = custom?.combine === 'replace' ? null : judge;
  return {
    asksOthers: judge !== null || custom !== null,
    reward: async (groups, options) => {
      const ruled = groups.map(group => ruleVerdicts(settings.scorer, group));
      const judged = asked ? await judgeGroups(settings, asked, groups, ruled, deps, options) : null;
      const given = custom ? await customRewards(custom, groups, deps, options) : null;
      return {
        groups: groups.map((group, k) =>
          groupReward(settings, group, ruled[k]!, judged?.groups[k] ?? null, given?.[k] ?? null),
        ),
        judge: judged?.usage ?? null,
      };
    },
  };
}

/** What is known of the k-th response besides its text. */
const contextOf = ({ question, finishes, promptOpensThinking }: GroupToReward, k: number): ResponseContext => ({
  question,
  finish: finishes?.[k],
  promptOpensThinking,
});

/** Of a group's responses many are the same. */
function ruleVerdicts(scorer: RewardSettings['scorer'], group: GroupToReward): Verdict[] {
  const verdicts = new Map<string, Verdict>();
  return group.responses.map((response, k) => {
    const context = contextOf(group, k);
    const key = `${context.finish ?? ''} ${response}`;
    const verdict = verdicts.get(key) ?? scoreRule(scorer, group.task, response, group.answers, context);
    verdicts.set(key, verdict);
    return verdict;
  });
}

/** The judge's verdicts on a group's responses, null where it was not asked; or why there are none. */
type GroupVerdicts = { verdicts: (JudgeVerdict | null)[] } | { verdicts: null; unscored: string };

async function judgeGroups(
  { scorer }: RewardSettings,
  settings: JudgeSettings,
  groups: readonly GroupToReward[],
  ruled: readonly Verdict[][],
  { store, environment, clock }: RewarderDependencies,
  options: RewardOptions,
): Promise<{ groups: GroupVerdicts[]; usage: JudgeUsage }> {
  const judge = createJudge(settings, { store, environment, clock });
  const places: { group: number; response: number }[] = [];
  const judged: Judged[] = [];
  groups.forEach((group, at) => {
    const { task, question, answers, responses } = group;
    if (NEVER_JUDGED.includes(task)) return;
    responses.forEach((text, response) => {
      const { score, extracted } = ruled[at]![response]!;
      const said = score === 1 ? null : toJudge(extracted, text, scorer, contextOf(group, response));
      if (said === null) return;
      places.push({ group: at, response });
      judged.push({ question, answers, said });
    });
  });
  const { verdicts, usage } = await judge.judge(judged, options);
  const found = groups.map(({ responses }): GroupVerdicts => ({ verdicts: responses.map(() => null) }));
  places.forEach(({ group, response }, k) => {
    const verdict = verdicts[k]!;
    const into = found[group]!;
    if ('unscored' in verdict) found[group] = { verdicts: null, unscored: verdict.unscored };
    else if (into.verdicts !== null) into.verdicts[response] = verdict;
  });
  return { groups: found, usage };
}

/**
 * What a judge reads of a response: the final answer, or what was said where none was found; never what was thought. Null
 * where there is nothing to judge: thinking without end, a response cut off. The authors' code judges a found answer alone.
 */
function toJudge(
  extracted: string | null,
  text: string,
  scorer: RewardSettings['scorer'],
  context: ResponseContext,
): Judged['said'] | null {
  if (scorer === 'qwenlong-l1') return extracted === null ? null : { answer: extracted };
  if (context.finish === 'length') return null;
  if (extracted !== null) return { answer: extracted };
  const said = saidIn(text, context)?.trim() ?? '';
  return said === '' ? null : { text: said };
}

async function customRewards(
  settings: CustomSettings,
  groups: readonly GroupToReward[],
  { environment, clock }: RewarderDependencies,
  { signal, note }: RewardOptions,
): Promise<CustomRewards[]> {
  const { default: pMap } = await import('p-map');
  const rewarder = await createCustomRewarder(settings, environment, clock);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  try {
    return await pMap(
      groups,
      async ({ id, task, question, answers, responses, prompt = '' }) => {
        either.throwIfAborted();
        const given = await rewarder.reward({ id, task, question, answers, prompt, responses }, either);
        note(`rewarding, ${++done} of ${groups.length} groups`);
        return given;
      },
      { concurrency: rewarder.concurrency },
    );
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    await rewarder.end();
  }
}

function groupReward(
  settings: RewardSettings,
  group: GroupToReward,
  ruled: readonly Verdict[],
  judged: GroupVerdicts | null,
  custom: CustomRewards | null,
): GroupReward {
  if (judged?.verdicts === null) return { rewards: null, unscored: judged.unscored };
  if (custom?.rewards === null) return custom;
  const { id, responses, evidence } = group;
  const rewards = responses.map((response, i): ResponseReward => {
    const { score: rule, extracted, reason } = ruled[i]!;
    const verdict = judged?.verdicts[i] ?? null;
    const own = custom?.rewards[i] ?? null;
    let answer: { reward: number; reason: string } =
      verdict?.verdict === 'yes' ? { reward: 1, reason: 'the judge passes it' } : { reward: rule, reason };
    if (own && (settings.custom!.combine === 'replace' || own.reward > answer.reward)) answer = own;
    const common = { rule, extracted, ...(verdict && { judge: verdict }) };
    if (settings.evidence === null) return { ...answer, ...common };
    if (!evidence)
      throw new RangeError(`sample ${id}: an evidence reward needs to know which documents its answer rests on`);
    const whole = evidenceReward(settings.evidence, answer.reward, response, evidence, contextOf(group, i));
    return { reward: whole.reward, reason: `${answer.reason}; ${whole.reason}`, ...common };
  });
  return { rewards };
}
