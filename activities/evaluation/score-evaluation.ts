/** Scores a model's responses to an evaluation set: a result for each item, and the row of the table. */
import { ApplicationFailure } from '@temporalio/activity';
import {
  BENCHMARKS,
  type BenchmarkName,
  type ItemResult,
  mean,
  OFFICIAL_METRICS,
  officialScores,
  summariseItems,
} from '../benchmarks/index.js';
import type { BenchmarkRow, EvaluationRow } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { type GroupReward, saidIn } from '../rewards/index.js';
import { type ArtifactRef, readJson } from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import type { EvaluateInput } from './job.js';
import { readBy } from './memory.js';
import { type AnsweredItem, type ScoringJob, scoringJob } from './scoring-job.js';

export type ScoreEvaluationInput = EvaluateInput & { responses: ArtifactRef };

/** An item as the results keep it. */
export interface EvaluatedItem extends ItemResult {
  /** Why the endpoint gave no answer; such an item counts as unscored too. */
  unanswered?: string;
  /** Where the endpoint read a part of the prompt alone: the tokens that it counts, and those that were sent. */
  shortened?: { counted: number; sent: number };
  /** Tokens that its documents lost from their middle. */
  cut?: number;
}

/** Of one model on one set: evaluations/<name>/<label>/sets/<set>.json, and of a run's own evaluations/<label>.<set>.<policy>.json */
export interface EvaluationResult {
  label: string;
  set: string;
  policy: string;
  /** Absent in results of earlier versions, which took no official metrics. */
  metric?: BenchmarkName;
  row: EvaluationRow;
  items: EvaluatedItem[];
}

export function scoreEvaluation(deps: Dependencies) {
  return (input: ScoreEvaluationInput): Promise<EvaluationRow> =>
    supervised('scoring', async supervision => {
      const job = await scoringJob(deps, input, supervision);
      const { label, set, policy, metric, uri } = job;
      const published = await deps.store.find(uri);
      if (published) return (await readJson<EvaluationResult>(deps.store, published)).row;
      supervision.note(`scoring ${label} on ${set}`);
      const { items, judge } =
        BENCHMARKS[metric].score === 'official'
          ? { items: job.items.map(item => officialResult(item, metric)), judge: null }
          : await rewardedItems(deps, job, supervision);
      const row = { ...rowOf(job, items), ...(judge && { judge }) };
      supervision.check();
      const result: EvaluationResult = { label, set, policy, metric, row, items };
      // A judge that is asked twice may answer twice: of two workers at one set the first decides for both.
      const ref = await deps.store.publishFirst(uri, `${JSON.stringify(result, null, 1)}\n`);
      const { row: kept } = await readJson<EvaluationResult>(deps.store, ref);
      deps.observer?.evaluated(job.name, kept);
      return kept;
    });
}

/** By rule and judge. */
async function rewardedItems(deps: Dependencies, job: ScoringJob, { call, note }: Supervision) {
  const answered = job.items.filter(item => item.unanswered === undefined);
  const { groups, judge } = await deps.rewarder(job.reward).reward(
    answered.map(({ id, task, question, answers, thinkingOpen, responses }) => ({
      ...{ id, task, question, answers, promptOpensThinking: thinkingOpen },
      responses: responses.map(({ text }) => text),
      ...(job.minds === 'finish' && { finishes: responses.map(({ finish }) => finish) }),
    })),
    { signal: call.signal, note },
  );
  const rewardOf = new Map(answered.map((item, k) => [item, groups[k]!]));
  return { items: job.items.map(item => itemResult(item, rewardOf.get(item), job.metric)), judge };
}

function itemResult(item: AnsweredItem, given: GroupReward | undefined, metric: BenchmarkName): EvaluatedItem {
  const common = asked(item);
  if (given === undefined) return unansweredResult(item);
  if (given.rewards === null) return { ...common, answers: item.responses, unscored: given.unscored };
  const answers = item.responses.map((response, i) => {
    const reward = given.rewards[i]!;
    return {
      ...reward,
      ...response,
      official: officialScores(metric, reward.extracted, item.answers, said(item, response.text)),
    };
  });
  return { ...common, answers };
}

/** Of a benchmark whose score is its official metric: neither rule nor judge is asked. */
function officialResult(item: AnsweredItem, metric: BenchmarkName): EvaluatedItem {
  if (item.unanswered !== undefined) return unansweredResult(item);
  const [first] = BENCHMARKS[metric].official;
  const answers = item.responses.map(response => {
    const official = officialScores(metric, null, item.answers, said(item, response.text));
    return { reward: official[first!]!, reason: OFFICIAL_METRICS[first!], ...response, official };
  });
  return { ...asked(item), answers };
}

/** Thinking that does not end says nothing. */
const said = ({ thinkingOpen }: AnsweredItem, text: string): string =>
  saidIn(text, { promptOpensThinking: thinkingOpen }) ?? '';

const asked = ({ id, question, answers: golds, promptTokens, cut, shortened }: AnsweredItem) => ({
  ...{ id, question, golds, promptTokens },
  ...(cut > 0 && { cut }),
  ...(shortened && { shortened }),
});

const unansweredResult = (item: AnsweredItem): EvaluatedItem => ({
  ...{ ...asked(item), answers: [] },
  ...{ unanswered: item.unanswered!, unscored: `unanswered: ${item.unanswered}` },
});

/** @throws ApplicationFailure where no item has a score: another try would find the same */
function rowOf(
  { label, set, metric, passAt, items: asked, memory, uri }: ScoringJob,
  items: EvaluatedItem[],
): BenchmarkRow {
  const unanswered = items.filter(item => item.unanswered !== undefined).length;
  if (items.every(item => item.unscored !== undefined)) {
    throw ApplicationFailure.nonRetryable(
      `evaluation set ${set}: none of its ${items.length} items has a score; of the first: ${items[0]!.unscored}`,
      'NothingScored',
    );
  }
  const shortened = items.flatMap(item => item.shortened ?? []);
  const { unscored, ...summary } = summariseItems(items, { k: passAt });
  return {
    policy: label,
    set,
    ...summary,
    metric,
    unanswered,
    unscored: unscored - unanswered,
    cut: items.filter(item => item.cut !== undefined).length,
    ...(shortened.length > 0 && { shortened: { items: shortened.length, ...shortened[0]! } }),
    meanPromptTokens: mean(items.map(item => item.promptTokens)),
    answerTokens: sum(items.flatMap(({ answers }) => answers.map(({ tokens, reading }) => reading?.tokens ?? tokens))),
    sentTokens: sum(asked.map(({ sentTokens }) => sentTokens)),
    ...(memory && {
      memory: readBy(
        memory,
        items.flatMap(({ answers }) => answers.map(({ reading }) => reading!)),
      ),
    }),
    uri,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
