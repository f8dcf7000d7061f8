/** What is to be scored: the items of a set with their answers as text, whoever gave them. */
import { type PromptItem, readData, readKept, readParts } from '../artifacts/index.js';
import type { BenchmarkName } from '../benchmarks/index.js';
import type { Task } from '../datasets/index.js';
import type { Dependencies } from '../dependencies.js';
import { textModelOf } from '../policies/index.js';
import { leastTokens, seemsCut } from '../remote/index.js';
import { evaluationReward, type RewardSettings } from '../rewards/index.js';
import type { MemorySettings, RunSpec } from '../spec/index.js';
import { type ArtifactRef, evaluatedUri, evaluationUri, readLines, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import type { EvaluationResponses } from './evaluate.js';
import type { RemoteResponses } from './evaluate-remote.js';
import { textModelFor } from './evaluated-model.js';
import { metricOf } from './items.js';
import {
  type EvaluateInput,
  isPlanned,
  type OwnEvaluation,
  type PlannedEvaluation,
  readPartList,
  readPlan,
  readResponses,
} from './job.js';
import type { Reading } from './memory.js';
import type { EvaluatedModel, EvaluationItem, PromptLine } from './plan.js';

export interface ScoringJob {
  /** The run, or the evaluation's own name. */
  name: string;
  label: string;
  set: string;
  /** The model's name, of a policy: its own. */
  policy: string;
  metric: BenchmarkName;
  passAt: number[];
  reward: RewardSettings;
  items: AnsweredItem[];
  /**
   * Whether a response that was cut off may count as what it had said by then. In a run's own evaluations it may, as in the
   * training that they watch, where lengths are the business of `rl.overlong`.
   */
  minds: 'finish' | 'text';
  /** Where documents were read chunk by chunk. */
  memory?: MemorySettings;
  /** Where the result lies. */
  uri: string;
}

export interface AnsweredItem {
  id: string;
  task: Task;
  question: string;
  answers: string[];
  promptTokens: number;
  cut: number;
  /** The prompt ends inside <think>. */
  thinkingOpen?: true;
  responses: { text: string; tokens: number; finish: 'stop' | 'length' | 'other'; reading?: Reading }[];
  /** Why the endpoint gives no answer, where it does not: then there are no responses. */
  unanswered?: string;
  /** The tokens of its prompt as the endpoint counts them, where it read a part alone; and those that were sent. */
  shortened?: { counted: number; sent: number };
  /** Tokens of prompts, as often as they were sent. */
  sentTokens: number;
}

export async function scoringJob(
  deps: Dependencies,
  input: EvaluateInput & { responses: ArtifactRef },
  supervision: Supervision,
): Promise<ScoringJob> {
  return isPlanned(input) ? plannedScoring(deps, input, supervision) : ownScoring(deps, input);
}

async function ownScoring(
  deps: Dependencies,
  { run, spec, policy, label, set, responses }: OwnEvaluation & { responses: ArtifactRef },
): Promise<ScoringJob> {
  const { store } = deps;
  const { evaluation, reward } = await readKept<RunSpec>(store, spec);
  const items = await readData<PromptItem>(store, set.data);
  const model = await textModelOf(deps, run);
  const lines = await readResponses<EvaluationResponses>(store, responses);
  const written = evaluation.sets.find(({ name }) => name === set.name);
  return {
    name: run,
    label,
    set: set.name,
    policy: policy.name,
    metric: written ? metricOf(written) : 'custom',
    passAt: [],
    reward: evaluationReward(reward),
    minds: 'text',
    uri: evaluationUri(run, `${label}.${set.name}`, policy.name, 'json'),
    items: items.map(({ id, task, question, answers, promptIds, thinkingOpen }, k) => ({
      ...{ id, task, question, answers, promptTokens: promptIds.length, cut: 0 },
      ...(thinkingOpen && { thinkingOpen }),
      responses: decoded(lines[k]!, model.responseText),
      sentTokens: promptIds.length,
    })),
  };
}

async function plannedScoring(
  deps: Dependencies,
  input: PlannedEvaluation & { responses: ArtifactRef },
  supervision: Supervision,
): Promise<ScoringJob> {
  const { store } = deps;
  const { plan, set, spec } = await readPlan(store, input);
  const items = await readLines<EvaluationItem>(store, set.items);
  const prompts = await promptFacts(store, set.prompts);
  const answered = await answersOf(deps, plan.model, input.responses, supervision);
  return {
    name: plan.name,
    label: plan.label,
    set: set.name,
    policy: nameOf(plan.model),
    metric: set.metric,
    minds: 'finish',
    passAt: spec.passAt,
    ...(spec.memory && { memory: spec.memory }),
    reward: { ...spec.reward, custom: null, evidence: null },
    uri: evaluatedUri(plan.name, plan.folder, 'sets', `${set.name}.json`),
    items: items.map(({ id, task, question, answers }, k) => {
      const { tokens, cut, least, thinkingOpen } = prompts[k]!;
      const { sent, counted, short, ...given } = answered[k]!;
      const isShort = counted !== null && seemsCut(counted, tokens, least);
      const shortened = isShort ? { counted, sent: tokens ?? least } : short;
      // Of endpoints whose tokenizer is not known, what they say themselves.
      const promptTokens = tokens ?? Math.round(sent / Math.max(1, given.responses.length));
      return {
        ...{ id, task, question, answers, promptTokens, cut },
        ...(thinkingOpen && { thinkingOpen }),
        ...given,
        ...(shortened && { shortened }),
        sentTokens: sent || promptTokens,
      };
    }),
  };
}

/** `least`: no tokenizer has fewer tokens for the text of a remote model. */
type PromptFacts = Pick<PromptLine, 'tokens' | 'cut' | 'thinkingOpen'> & { least: number };

/** What is short of them: the prompts of a set of long documents are more than is good to hold. */
async function promptFacts(store: Store, ref: ArtifactRef): Promise<PromptFacts[]> {
  const facts: PromptFacts[] = [];
  for await (const { lines } of readParts<PromptLine>(store, await readPartList(store, ref))) {
    facts.push(
      ...lines.map(({ tokens, cut, thinkingOpen, text = '' }) => ({
        ...{ tokens, cut, least: leastTokens([text]) },
        ...(thinkingOpen && { thinkingOpen }),
      })),
    );
  }
  return facts;
}

/** `counted`: the least that an endpoint counted of the prompt; null where none counts. */
type Given = Pick<AnsweredItem, 'responses' | 'unanswered'> & {
  sent: number;
  counted: number | null;
  /** Of what is read chunk by chunk, where a chunk was read in part. */
  short?: AnsweredItem['shortened'];
};

async function answersOf(
  deps: Dependencies,
  model: EvaluatedModel,
  responses: ArtifactRef,
  supervision: Supervision,
): Promise<Given[]> {
  if (model.kind === 'remote') {
    const lines = await readResponses<RemoteResponses>(deps.store, responses);
    return lines.map(givenBy);
  }
  const { responseText } = (await textModelFor(deps, model, supervision))!;
  const lines = await readResponses<EvaluationResponses>(deps.store, responses);
  return lines.map(line => {
    const responses = decoded(line, responseText);
    return { responses, sent: sentFor(responses), counted: null };
  });
}

function givenBy({ replies, unanswered }: RemoteResponses): Given {
  const given = replies ?? [];
  const responses = given.map(({ text, finish, usage, reading }) => {
    const { shortened: _, ...read } = reading ?? { shortened: undefined };
    return { text, finish, tokens: usage.completionTokens, ...(reading && { reading: read as Reading }) };
  });
  const whole = given.filter(({ reading }) => !reading).map(({ usage }) => usage.promptTokens);
  const short = given.find(({ reading }) => reading?.shortened)?.reading?.shortened;
  return {
    responses,
    sent: whole.reduce((sum, tokens) => sum + tokens, 0) + sentFor(responses),
    counted: whole.length > 0 ? Math.min(...whole) : null,
    ...(short && { short }),
    ...(unanswered !== undefined && { unanswered }),
  };
}

/** Tokens of the prompts by which documents were read chunk by chunk. */
const sentFor = (responses: AnsweredItem['responses']): number =>
  responses.reduce((sum, { reading }) => sum + (reading?.promptTokens ?? 0), 0);

function decoded({ responses }: EvaluationResponses, text: (ids: readonly number[]) => string) {
  return responses.map(({ ids, finish, reading }) => ({
    ...{ text: text(ids), tokens: ids.length, finish },
    ...(reading && { reading }),
  }));
}

/** Which model it was, in one word. */
function nameOf(model: EvaluatedModel): string {
  if (model.kind === 'policy') return model.policy.name;
  return model.kind === 'folder' ? model.sha256 : model.endpoint.model;
}
