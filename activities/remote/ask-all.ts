/** Many questions to one endpoint: so many at a time, within a budget of tokens, each counted. */
import type { Store } from '../store/index.js';
import { type ChatClient, type ChatRequest, nameOf } from './chat.js';
import type { ChatUsage } from './completion.js';
import { EndpointRejectedError, EndpointUnavailableError, refusal } from './errors.js';
import { SUSPECT } from './outcomes.js';
import { askToKeep, findReply, type KeepOptions, type RecordedReply, type ReplyPlace } from './recorded.js';

export interface Question {
  request: ChatRequest;
  place: ReplyPlace;
  /** Throws EndpointRefusedError for a reply that must not be kept. */
  check?: KeepOptions['check'];
  /**
   * What to ask in its stead where the reply will not do; null: it will, or nothing else is to be tried. Every reply is
   * kept under the question that it answers, so that none is asked again. May throw EndpointRefusedError.
   */
  instead?(reply: RecordedReply, asked: ChatRequest): ChatRequest | null;
}

/** A reply; or why there is none, and whether asking again later may give one. */
export type Answer = { reply: RecordedReply } | { reply: null; why: string; lasting: boolean };

/** What questions cost. */
export interface AskUsage extends ChatUsage {
  /** Questions that went to the endpoint, all that was asked in place of one counted once. */
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
  let answered = false;
  let suspects = 0;

  const notAsked = (): string | null => {
    if (tokenBudget !== null && usage.promptTokens + usage.completionTokens >= tokenBudget) {
      return `the token budget of ${tokenBudget} is spent`;
    }
    const away = failuresInARow >= Math.max(AWAY_AFTER, concurrency);
    return away ? `${url} left the ${failuresInARow} questions before unanswered` : null;
  };
  const options = {
    signal: either,
    onUsage: ({ promptTokens, completionTokens }: ChatUsage) => {
      usage.promptTokens += promptTokens;
      usage.completionTokens += completionTokens;
    },
  };
  const ask = async ({ request, place, check, instead }: Question): Promise<Answer> => {
    let isAsked = false;
    try {
      for (let asked = request; ; ) {
        const found = await findReply(store, client, asked, place);
        const why = found ? null : notAsked();
        if (why !== null) return { reply: null, why, lasting: false };
        if (!found && !isAsked) usage.asked++;
        isAsked ||= !found;
        const reply = found ?? (await askToKeep(store, client, asked, place, { ...options, check }));
        if (!found) failuresInARow = 0;
        answered = true;
        const other = instead?.(reply, asked) ?? null;
        if (other === null) {
          if (!isAsked) usage.cached++;
          return { reply };
        }
        asked = other;
      }
    } catch (error) {
      if (error instanceof EndpointRejectedError) {
        if (SUSPECT.includes(error.reason) && !answered && !client.isKnown()) suspect(error);
        return { reply: null, why: error.message, lasting: true };
      }
      if (!(error instanceof EndpointUnavailableError)) throw error;
      failuresInARow++;
      return { reply: null, why: error.message, lasting: false };
    }
  };
  /** Questions that nobody answers are no fault of each of them. */
  const suspect = ({ message }: EndpointRejectedError): void => {
    if (++suspects < Math.max(AWAY_AFTER, concurrency)) return;
    const said = `none of the first ${suspects} questions has an answer; the last: ${message}`;
    throw refusal('nobody answered', nameOf(client.settings), said, client.settings);
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
