/**
 * The replies of a remote model to an evaluation set. Each is kept as it comes, so whoever goes on after a crash asks for
 * what is missing and pays for nothing twice.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { type PartList, readParts } from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import {
  type Answer,
  askAll,
  type ChatClient,
  type ChatReply,
  createChatClient,
  EndpointRejectedError,
  EndpointUnavailableError,
  type Question,
} from '../remote/index.js';
import type { EvaluationSpec } from '../spec/index.js';
import { type ArtifactRef, publishJson, publishLines } from '../store/index.js';
import { progressReporter, supervised } from '../supervision/index.js';
import { type PlannedEvaluation, plannedResponsesUri, readPartList, readPlan } from './job.js';
import type { EvaluationPlan, PromptLine } from './plan.js';
import { type RemoteReading, readingQuestion } from './read-remote.js';

/** A line of the responses of a remote model; without replies where the endpoint rejects the item. */
export interface RemoteResponses {
  id: string;
  replies: (Pick<ChatReply, 'text' | 'finish' | 'usage'> & { reading?: RemoteReading })[] | null;
  unanswered?: string;
}

export function evaluateRemote(deps: Dependencies) {
  return (input: PlannedEvaluation): Promise<ArtifactRef> =>
    supervised('asking a remote model', async supervision => {
      const { store } = deps;
      const { plan, set, spec } = await readPlan(store, input);
      const published = await store.find(plannedResponsesUri(plan, set));
      if (published) return published;
      const client = createChatClient(endpointOf(plan), deps.environment);
      const questionsOf = await questioning(deps, plan, spec, supervision.call.signal);
      const report = progressReporter(set.name, set.count);
      const list: PartList = { count: set.count, parts: [] };
      for await (const { from, lines } of readParts<PromptLine>(store, await readPartList(store, set.prompts))) {
        const asked = lines.flatMap(line => questionsOf(line));
        const { answers } = await askAll(
          store,
          client,
          asked.map(({ question }) => question),
          {
            signal: supervision.call.signal,
            tokenBudget: null,
            onAnswer: done => {
              const items = from + Math.floor(done / spec.samples);
              supervision.note(`asking ${plan.label} for ${set.name}: ${items} of ${set.count}`);
              report(items);
            },
          },
        );
        const settled = await settle(answers, client, supervision.call.signal);
        supervision.check();
        const readings = asked.map(({ reading }) => reading?.());
        const responses = lines.map(({ id }, k) =>
          responsesOf(id, settled.slice(k * spec.samples, (k + 1) * spec.samples), readings.slice(k * spec.samples)),
        );
        const ref = await publishLines(store, plannedResponsesUri(plan, set, `${from}.jsonl`), responses);
        list.parts.push({ ...ref, from, count: lines.length });
      }
      return publishJson(store, plannedResponsesUri(plan, set), list);
    });
}

function endpointOf({ model }: EvaluationPlan) {
  if (model.kind === 'remote') return model.endpoint;
  throw new RangeError(`expected the plan of a remote model, got one of a ${model.kind}`);
}

interface AskedQuestion {
  question: Question;
  /** Of what is read chunk by chunk, once the question is answered. */
  reading?: () => RemoteReading;
}

/** How each item becomes a question for each sample. */
async function questioning(
  { models }: Dependencies,
  plan: EvaluationPlan,
  spec: EvaluationSpec,
  signal: AbortSignal,
): Promise<(line: PromptLine) => AskedQuestion[]> {
  const { memory, samples, tokenizer } = spec;
  const indices = Array.from({ length: samples }, (_, index) => index);
  const ask = (index: number) => (text: string) => questionOf(plan, spec, text, index);
  if (!memory) return ({ text }) => indices.map(index => ({ question: ask(index)(text!) }));
  const tokens = await models.tokens(tokenizer!, signal);
  return line => indices.map(index => readingQuestion(memory, tokens, line.memory!, ask(index)));
}

function questionOf(
  { name, folder }: EvaluationPlan,
  { prompt, sampling, seed }: EvaluationSpec,
  text: string,
  index: number,
): Question {
  const system = prompt.system === null ? [] : [{ role: 'system' as const, content: prompt.system }];
  const messages = [...system, { role: 'user' as const, content: text }];
  const { temperature, topP, maxNewTokens } = sampling;
  const request = { messages, temperature, topP, maxTokens: maxNewTokens };
  // The seed sets questions apart and is not sent: many endpoints refuse one, and none promises equal replies for it.
  return { request, place: { scope: `${name}/${folder}/${seed}`, index } };
}

/** Tries of the activity after which a question at which the endpoint fails each time is left out, if it answers others. */
const MOST_TRIES = 5;

/** The answers where all are settled. An endpoint that is away is waited for: what it said before is kept. */
async function settle(answers: Answer[], client: ChatClient, signal: AbortSignal): Promise<Answer[]> {
  const missing = answers.filter(answer => answer.reply === null && !answer.lasting);
  if (missing.length === 0) return answers;
  const { attempt } = Context.current().info;
  if (attempt >= MOST_TRIES && (await isThere(client, signal))) {
    return answers.map(answer =>
      answer.reply !== null || answer.lasting
        ? answer
        : { ...answer, why: `it failed at this question in ${attempt} tries: ${answer.why}`, lasting: true },
    );
  }
  const [first] = missing as [Extract<Answer, { reply: null }>];
  throw ApplicationFailure.retryable(
    `${client.settings.url} left ${missing.length} questions unanswered: ${first.why}. The ${answers.length - missing.length} replies there are kept; it is asked again for the rest.`,
    'EndpointUnavailable',
  );
}

/** Whether the endpoint answers a question that is no item's. */
async function isThere(client: ChatClient, signal: AbortSignal): Promise<boolean> {
  const messages = [{ role: 'user' as const, content: 'Say yes.' }];
  try {
    await client.ask({ messages, temperature: 0, topP: 1, maxTokens: 64 }, { signal });
    return true;
  } catch (error) {
    if (error instanceof EndpointRejectedError) return true;
    if (error instanceof EndpointUnavailableError) return false;
    throw error;
  }
}

function responsesOf(id: string, answers: Answer[], readings: (RemoteReading | undefined)[]): RemoteResponses {
  const rejected = answers.find((answer): answer is Extract<Answer, { reply: null }> => answer.reply === null);
  if (rejected) return { id, replies: null, unanswered: rejected.why };
  return {
    id,
    replies: answers.map(({ reply }, k) => ({
      ...{ text: reply!.text, finish: reply!.finish, usage: reply!.usage },
      ...(readings[k] && { reading: readings[k] }),
    })),
  };
}
