/** A language model's verdict on answers that no rule recognises. It may raise a reward, never lower one. */
import {
  type Answer,
  type AskUsage,
  askAll,
  CAUSES,
  type ChatReply,
  type ChatRequest,
  createChatClient,
  EndpointRejectedError,
  type Environment,
  leastTokens,
  nameOf,
  type Question,
  type RetryClock,
  refusal,
  seemsCut,
} from '../remote/index.js';
import { hashOf, type Store } from '../store/index.js';
import { type Judged, renderJudgePrompt } from './judge-prompt.js';
import { type JudgeSays, readVerdict } from './judge-verdict.js';
import type { JudgeSettings } from './settings.js';

/** What was asked of the judge and what it cost, replies from the store counted apart. */
export type JudgeUsage = AskUsage;

export interface JudgeVerdict {
  verdict: JudgeSays;
  /** What the judge said, its end where that is long. */
  reply: string;
}

export interface Judge {
  /** A verdict for each, in order, or why there is none. */
  judge(
    judged: readonly Judged[],
    options: { signal: AbortSignal; note(doing: string): void },
  ): Promise<{ verdicts: (JudgeVerdict | { unscored: string })[]; usage: JudgeUsage }>;
}

export interface JudgeOptions {
  store: Store;
  environment: Environment;
  clock?: RetryClock | undefined;
}

/** @throws MissingKeyError when the environment lacks the key that the settings name */
export function createJudge(settings: JudgeSettings, { store, environment, clock }: JudgeOptions): Judge {
  const client = createChatClient(settings, environment, clock);
  return {
    judge: async (judged, { signal, note }) => {
      const questions = judged.map(one => questionOf(settings, one));
      // Equal answers of a group are one question.
      const places = new Map<string, number>();
      const distinct = questions.filter(({ request }) => {
        const hash = hashOf(request);
        const isNew = !places.has(hash);
        if (isNew) places.set(hash, places.size);
        return isNew;
      });
      const { answers, usage } = await askAll(store, client, distinct, {
        signal,
        tokenBudget: settings.tokenBudget,
        onAnswer: done => note(`judging, ${done} of ${distinct.length} answers`),
      });
      const verdicts = answers.map(verdictOf);
      const without = verdicts.filter((verdict, k) => 'unscored' in verdict && answers[k]!.reply !== null).length;
      return {
        verdicts: questions.map(({ request }) => verdicts[places.get(hashOf(request))!]!),
        usage: { ...usage, failed: usage.failed + without },
      };
    },
  };
}

/** At 0, and where that gives no verdict warmer: the same question at 0 gives the same again. */
const TEMPERATURES = [0, 0.3, 0.6, 0.9];

function questionOf(settings: JudgeSettings, judged: Judged): Question {
  const { prompt, maxTokens } = settings;
  const content = renderJudgePrompt(prompt, judged);
  return {
    request: { messages: [{ role: 'user', content }], temperature: TEMPERATURES[0]!, topP: 1, maxTokens },
    // A verdict is a verdict, whichever run asked for it.
    place: {},
    check: ({ usage }) => refusePart(settings, leastTokens([content]), usage.promptTokens),
    instead: (reply, asked) => askedInstead(settings, reply, asked),
  };
}

const nameOfJudge = (settings: JudgeSettings): string => `the judge ${nameOf(settings)}`;

/** Of a judge that lost a part of its prompt no verdict counts. @throws EndpointRejectedError */
function refusePart(settings: JudgeSettings, least: number, counted: number): void {
  if (!seemsCut(counted, null, least)) return;
  const said = `it counts ${counted} tokens where at least ${least} were sent, so it read a part of its prompt`;
  throw new EndpointRejectedError(
    `${nameOfJudge(settings)}: ${said}. ${CAUSES['judge prompt cut'].advice!(settings)}`,
    'judge prompt cut',
  );
}

/**
 * The question to ask after a reply without a verdict; null where there is one, or none is to be had. It depends on reply
 * and question alone, so that whoever goes on after a crash asks the same.
 * @throws EndpointRefusedError where the judge is set up so that no verdict can come
 */
function askedInstead(settings: JudgeSettings, { text, finish }: ChatReply, asked: ChatRequest): ChatRequest | null {
  if (finish === 'length') {
    const [room, double] = [asked.maxTokens, 2 * settings.maxTokens];
    if (room < double) return { ...asked, maxTokens: double };
    throw refusal(
      'judgement cut off',
      nameOfJudge(settings),
      `its judgement is cut off at ${room} tokens, before a verdict`,
      settings,
    );
  }
  if (readVerdict(text) !== null) return null;
  // Where `extra` holds it at 0, no other try is another question.
  if (settings.extra.temperature === 0) return null;
  const temperature = TEMPERATURES[TEMPERATURES.indexOf(asked.temperature) + 1];
  return temperature === undefined ? null : { ...asked, temperature };
}

const REPLY_KEPT = 300;

function verdictOf(answer: Answer): JudgeVerdict | { unscored: string } {
  if (answer.reply === null) return { unscored: `the judge gave no verdict: ${answer.why}` };
  const said = answer.reply.text.trim();
  const kept = said.length <= REPLY_KEPT ? said : `… ${said.slice(-REPLY_KEPT)}`;
  const verdict = readVerdict(said);
  if (verdict !== null) return { verdict, reply: kept };
  return {
    unscored: `the judge gave no verdict: expected [[YES]] or [[NO]], one of the two, at temperatures up to ${TEMPERATURES.at(-1)}; the last reply ended in ${JSON.stringify(kept.slice(-100))}`,
  };
}
