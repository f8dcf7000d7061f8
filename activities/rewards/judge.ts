/** A language model's verdict on answers that no rule recognises. It may raise a reward, never lower one. */
import {
  type Answer,
  type AskUsage,
  askAll,
  type ChatReply,
  createChatClient,
  type Environment,
  MalformedReplyError,
  type Question,
  type RetryClock,
} from '../remote/index.js';
import { hashOf, type Store } from '../store/index.js';
import { type Judged, renderJudgePrompt } from './judge-prompt.js';
import type { JudgeSettings } from './settings.js';

/** What was asked of the judge and what it cost, replies from the store counted apart. */
export type JudgeUsage = AskUsage;

export interface JudgeVerdict {
  verdict: 'yes' | 'no';
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
      return { verdicts: questions.map(({ request }) => verdictOf(answers[places.get(hashOf(request))!]!)), usage };
    },
  };
}

function questionOf({ prompt, maxTokens }: JudgeSettings, judged: Judged): Question {
  return {
    request: {
      messages: [{ role: 'user', content: renderJudgePrompt(prompt, judged) }],
      temperature: 0,
      topP: 1,
      maxTokens,
    },
    // A verdict is a verdict, whichever run asked for it.
    place: {},
    accept: reply => {
      readVerdict(reply);
    },
  };
}

const REPLY_KEPT = 300;

function verdictOf(answer: Answer): JudgeVerdict | { unscored: string } {
  if (answer.reply === null) return { unscored: `the judge gave no verdict: ${answer.why}` };
  const said = answer.reply.text.trim();
  return {
    verdict: readVerdict(answer.reply),
    reply: said.length <= REPLY_KEPT ? said : `… ${said.slice(-REPLY_KEPT)}`,
  };
}

/** The verdict on the reply's last line. @throws MalformedReplyError unless there is just one */
export function readVerdict({ text, finish }: Pick<ChatReply, 'text' | 'finish'>): 'yes' | 'no' {
  if (finish === 'length') {
    throw new MalformedReplyError('a judgement that was cut off before its verdict: raise reward.judge.maxTokens');
  }
  const lastLine = text
    .trimEnd()
    .split(/\r\n?|\n/)
    .at(-1)!
    .trim();
  const tags = [...lastLine.matchAll(/\[\[([^[\]]*)\]\]/g)].map(([, tag]) => tag);
  if (tags.length === 1 && tags[0] === 'YES') return 'yes';
  if (tags.length === 1 && tags[0] === 'NO') return 'no';
  throw new MalformedReplyError(
    `a judgement whose last line has no verdict: expected [[YES]] or [[NO]], once, found ${JSON.stringify(lastLine.slice(-100))}`,
  );
}
