/** What each answer of a service means, and what is to be done about it: one table. */
import { EngineLostError, EngineRequestError } from '../../protocol/index.js';

/** What is done about an answer that is none. */
export type Remedy =
  /** Ask again, after a while. */
  | 'again'
  /** The service no longer knows the promise: the call that it was made for is sent again, and is the same call. */
  | 'resubmit'
  /** The service does not hold the model, or not as it was left. */
  | 'lost'
  /** What was saved there under this address is gone. */
  | 'gone'
  /** The name or number is taken, by something else. */
  | 'taken'
  /** Nothing that this client can mend. */
  | 'refused';

/** An HTTP answer other than a result, or a promise that failed. */
export interface Failure {
  /** As `forward_backward`. */
  path: string;
  /** HTTP's; 200 of a promise that failed. */
  status: number;
  /** What the service said. */
  text: string;
  /** Of a failed promise: whose fault the service says it is. */
  category?: string | undefined;
}

interface Rule {
  when(failure: Failure): boolean;
  remedy: Remedy;
  /** What is to be done, for people. */
  advice?: string;
  code?: EngineRequestError['code'];
}

const says =
  (pattern: RegExp) =>
  ({ text }: Failure): boolean =>
    pattern.test(text);
const of =
  (...statuses: number[]) =>
  ({ status }: Failure): boolean =>
    statuses.includes(status);
const both =
  (...tests: Rule['when'][]) =>
  (failure: Failure): boolean =>
    tests.every(test => test(failure));
const isAwaited = ({ path }: Failure): boolean => path === 'retrieve_future';
const isOpened = ({ path }: Failure): boolean => path === 'load_weights' || path === 'archive';

const KEY = 'Set the key that the service knows in the environment of this worker and start it again.';
const WIRE =
  'Is it a training service that speaks the Tinker protocol of SDK 0.25 (protobuf)? Older ones speak JSON alone, and later ones may want more.';

/** The first that fits decides. */
const RULES: readonly Rule[] = [
  { when: both(isOpened, says(/not.?found|no such|does ?n.t exist|not exist|unknown|missing/i)), remedy: 'gone' },
  { when: both(isOpened, of(404)), remedy: 'gone' },
  {
    when: says(/maximum number of .*adapters/i),
    remedy: 'refused',
    code: 'unsupported',
    advice:
      'Raise its limit of models (SkyRL: max_lora_adapters, which counts the base too): a run has its policy there, a reference with a KL term, and one more for a moment; or unload those that nobody uses.',
  },
  {
    when: says(/\bnot loaded\b|unknown model|model .*not found|no such model|model .*does ?n.t exist/i),
    remedy: 'lost',
  },
  { when: of(401, 403), remedy: 'refused', code: 'unsupported', advice: KEY },
  { when: of(402), remedy: 'refused', code: 'unsupported', advice: 'It wants to be paid.' },
  { when: of(408, 429, 500, 502, 503, 504), remedy: 'again' },
  { when: ({ status }) => status > 504, remedy: 'again' },
  { when: both(isAwaited, of(404, 410)), remedy: 'resubmit' },
  { when: of(410), remedy: 'resubmit' },
  { when: of(409), remedy: 'taken' },
  {
    when: both(of(404), ({ path }) => /^(get_server_capabilities|create_session)$/.test(path)),
    remedy: 'refused',
    code: 'unsupported',
    advice: WIRE,
  },
  { when: of(404), remedy: 'lost' },
  {
    when: both(of(400), says(/\b(sdk|client|protocol) version\b|\bupgrade\b/i)),
    remedy: 'refused',
    code: 'unsupported',
    advice: WIRE,
  },
  { when: of(415, 422, 405, 406, 426), remedy: 'refused', code: 'unsupported', advice: WIRE },
  { when: ({ category }) => category !== undefined && category !== 'user', remedy: 'lost' },
  { when: () => true, remedy: 'refused', code: 'bad-request' },
];

const ruleFor = (failure: Failure): Rule => RULES.find(({ when }) => when(failure))!;

export const remedyFor = (failure: Failure): Remedy => ruleFor(failure).remedy;

/** The service has been away for longer than its client waits. What it holds may still be there. */
export class ServiceAwayError extends EngineLostError {}

/** A name or a number is taken there, by something else than what was sent. */
export class TakenError extends EngineLostError {}

/** @param what the service, for the message */
export function errorOf(failure: Failure, what: string): Error {
  const { remedy, advice, code = 'bad-request' } = ruleFor(failure);
  const said = `${what} answered ${failure.path} with ${failure.status}: ${failure.text.trim().slice(0, 500) || 'nothing'}`;
  const message = advice ? `${said}. ${advice}` : said;
  switch (remedy) {
    case 'again':
      return new ServiceAwayError(message);
    case 'taken':
      return new TakenError(message);
    case 'refused':
      return new EngineRequestError(message, code);
    case 'gone':
      return new EngineRequestError(`${message}. The weights that were saved there are no longer there.`, 'gone');
    default:
      return new EngineLostError(`${message}; the policy in its memory counts as gone`);
  }
}
