/** Many questions to one endpoint: so many at a time, within a budget of tokens, each counted. */
import type { Store } from '../store/index.js';
import type { AskOptions, ChatClient, ChatRequest, ChatUsage } from './chat.js';
import { EndpointRejectedError, EndpointUnavailableError } from './errors.js';
import { findReply, type RecordedReply, type ReplyPlace, recordedAsk } from './recorded.js';

export interface Question {
  request: ChatRequest;
  place: ReplyPlace;
  accept?: AskOptions['accept'];
}

/** A reply; or why there is none, and whether asking again later may give one. */
export type Answer = { reply: RecordedReply } | { reply: null; why: string; lasting: boolean };

/** What questions cost. */
export interface AskUsage extends ChatUsage {
  /** Questions that went to the endpoint, tries of one question counted once. */
  asked: number;
  /** Questions whose reply lay in the store. */
  cached: number;
  /** Questions without a reply. */
  failed: number;
}

export interface AskAllOptions {
  signal: AbortSignal;
  /** Tokens, prompts included; once they are spent nothing more is asked, though what is under way ends. Null: no bound. */
  tokenBudget: number | null;
  /** Called after every answer. */
  onAnswer?: (done: number) => void;
}

/** So many questions in a row without a reply, and no fewer than are under way, show that the endpoint is away. */
const AWAY_AFTER = 3;

export const NO_USAGE: AskUsage = { asked: 0, cached: 0, failed: 0, promptTokens: 0, completionTokens: 0 };

/**
 * Answers in the order of the questions. A question that fails leaves the others alone; settings with which the endpoint
 * answers nobody do not.
 * @throws EndpointRefusedError, or the signal's reason
 */
export async function askAll(
  store: Store,
  client: ChatClient,
  questions: readonly Question[],
  { signal, tokenBudget, onAnswer }: AskAllOptions,
): Promise<{ answers: Answer[]; usage: AskUsage }> {
  const { default: pMap } = await import('p-map');
  const { concurrency, url } = client.settings;
  const usage = { ...NO_USAGE };
  // A failure that is nobody's in particular ends what the others wait for.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  let failuresInARow = 0;

  const notAsked = (): string | null => {
    if (tokenBudget !== null && usage.promptTokens + usage.completionTokens >= tokenBudget) {
      return `the token budget of ${tokenBudget} is spent`;
    }
    const away = failuresInARow >= Math.max(AWAY_AFTER, concurrency);
    return away ? `${url} left the ${failuresInARow} questions before unanswered` : null;
  };
  const ask = async ({ request, place, accept }: Question): Promise<Answer> => {
    const found = await findReply(store, client, request, place);
    if (found) {
      usage.cached++;
      return { reply: found };
    }
    const why = notAsked();
    if (why !== null) return { reply: null, why, lasting: false };
    usage.asked++;
    const options = {
      signal: either,
      ...(accept && { accept }),
      onUsage: ({ promptTokens, completionTokens }: ChatUsage) => {
        usage.promptTokens += promptTokens;
        usage.completionTokens += completionTokens;
      },
    };
    try {
      const reply = await recordedAsk(store, client, request, place, options);
      failuresInARow = 0;
      return { reply };
    } catch (error) {
      if (error instanceof EndpointRejectedError) return { reply: null, why: error.message, lasting: true };
      if (!(error instanceof EndpointUnavailableError)) throw error;
      failuresInARow++;
      return { reply: null, why: error.message, lasting: false };
    }
  };

  const answers = await pMap(
    questions,
    async question => {
      either.throwIfAborted();
      const answer = await ask(question).catch((error: unknown) => {
        stop.abort(error);
        throw error;
      });
      if (answer.reply === null) usage.failed++;
      onAnswer?.(++done);
      return answer;
    },
    { concurrency },
  );
  return { answers, usage };
}
