/**
 * What an endpoint means by an error: a status, codes and words, which differ from one provider to the next. The first rule
 * that fits says the cause; providers' own words stand beside the rule that knows them.
 */
import { NoAnswerError } from './errors.js';
import { fieldOf } from './json.js';
import type { CauseName } from './outcomes.js';
import type { Reply } from './reply.js';

interface Said {
  status: number;
  /** Codes and types, apart by lines. */
  codes: string;
  /** What is said to people. */
  message: string;
  /** The field that an error is about, by OpenAI's `param`, or as found in the message. */
  field: string | undefined;
}

interface Rule {
  cause: CauseName;
  statuses: readonly number[] | ((status: number) => boolean);
  codes?: RegExp;
  message?: RegExp;
  /** Needs a field of the request to be named. */
  field?: RegExp;
}

const ABOUT_THE_REQUEST = [400, 413, 422];
const anyError = () => true;

/** Rules with several of codes, message and field fit when one of codes and message does, and field too. */
const RULES: readonly Rule[] = [
  { cause: 'proxy', statuses: [407] },
  { cause: 'no credit', statuses: [402] },
  {
    // OpenAI: insufficient_quota and billing_*; Moonshot: exceeded_current_quota_error; DashScope: Arrearage, AllocationQuota;
    // Zhipu: 1113. Not Gemini's "You exceeded your current quota", which it says of a minute's rate too.
    cause: 'no credit',
    statuses: [400, 403, 412, 429, 500],
    codes:
      /^(insufficient_(quota|balance|credits?|user_quota)|billing_(hard_limit_reached|not_active)|exceeded_current_quota_error|Arrearage|AllocationQuota\.\w+|1113)$/im,
    // Anthropic: "Your credit balance is too low"; xAI: "used all available credits"; Fireworks: "suspended".
    message:
      /credit balance is too low|insufficient (account )?(balance|credits?|funds)|balance is (insufficient|too low)|out of credits?|used all available credits|no credits? (left|remaining)|account .{0,40}(in good standing|suspended|overdue)|余额不足|欠费/i,
  },
  {
    // Azure: content_filter; DashScope: data_inspection_failed; DeepSeek: "Content Exists Risk"; Zhipu: 1301; OpenRouter: 403 with "flagged".
    cause: 'filtered',
    statuses: anyError,
    codes:
      /^(content_?filter|content_policy_violation|ResponsibleAIPolicyViolation|data_?inspection_?failed|sensitive_words_detected|1301)$/im,
    message:
      /content management policy|content exists risk|inappropriate content|input was flagged|requires moderation|content_filter|usage policy/i,
  },
  {
    // vLLM and SGLang: "This model's maximum context length", "longer than the model's context length"; llama.cpp: 400 or 500;
    // Anthropic: "prompt is too long"; DashScope: "Range of input length should be".
    cause: 'too long',
    statuses: [...ABOUT_THE_REQUEST, 500],
    codes: /^(context_length_exceeded|exceed_context_size_error|string_above_max_length)$/im,
    message:
      /context (length|window|size)|maximum (prompt|sequence|input|model) length|(prompt|input|request|message)s? (is|are|was) (too (long|large)|longer)|too many (input |prompt )?tokens|input token count|exceeds? (the )?(available |maximum )?(context|number of tokens)|range of input length|prompt \(length \d+\) is longer|max_tokens must be at least 1, got -/i,
  },
  // OpenAI: one request beyond what a minute allows, which no waiting mends.
  { cause: 'too long', statuses: [429], message: /request too large/i },
  {
    cause: 'stream only',
    statuses: ABOUT_THE_REQUEST,
    // DashScope and ModelScope: of Qwen3-Thinking and QwQ.
    message:
      /only support\w* (the )?stream|stream(ing)? (mode )?(is required|only)|must be (set to )?stream|non-streaming calls|support\w* when .{0,3}stream ?= ?false|stream must be (set to )?true|streaming is required/i,
  },
  {
    cause: 'limit field',
    statuses: ABOUT_THE_REQUEST,
    message: /max_completion_tokens.{0,40}instead|use .?max_completion_tokens/i,
  },
  {
    cause: 'limit field',
    statuses: ABOUT_THE_REQUEST,
    codes: /^(unsupported_parameter|unknown_parameter)$/im,
    message: /unsupported parameter/i,
    field: /^max_tokens$/,
  },
  {
    // OpenAI: "max_tokens is too large: 100000. This model supports at most 16384 completion tokens".
    cause: 'room',
    statuses: ABOUT_THE_REQUEST,
    message:
      /max_(completion_|output_)?tokens.{0,60}(too large|at most|must be (<=|less|at most)|exceeds|maximum)|range of max_tokens|max_tokens: \d+ > \d+|invalid max_tokens/i,
  },
  {
    cause: 'address',
    statuses: [400, 403, 404, 422],
    codes: /^(model_not_found|DeploymentNotFound|model_not_exist|unknown_model)$/im,
    message:
      /model .{0,80}(does not exist|not found|not exist)|no such model|model not exist|invalid model name|http request was sent to https port/i,
  },
  {
    // OpenAI: unsupported_value of temperature; Anthropic: "cannot both be specified"; Gemini: Unknown name "seed"; Mistral: extra_forbidden.
    cause: 'parameter',
    statuses: ABOUT_THE_REQUEST,
    codes: /^(unsupported_parameter|unsupported_value|unknown_parameter|extra_forbidden)$/im,
    message:
      /unsupported|not supported|(does not|doesn't) support|unknown (name|parameter|field|argument)|unrecognized|unexpected (keyword|field)|(not permitted|not allowed)|cannot (both )?be (specified|used|set)|deprecated|extra_forbidden|only the default/i,
    field: /./,
  },
  {
    cause: 'parameter',
    statuses: ABOUT_THE_REQUEST,
    codes: /^(unsupported_parameter|unsupported_value|unknown_parameter)$/im,
  },
  { cause: 'key', statuses: [401, 403] },
  {
    cause: 'key',
    statuses: [400],
    codes: /^(invalid_api_key|API_KEY_INVALID|InvalidApiKey)$/im,
    message: /api key not valid|invalid api[- _]key|authentication credentials/i,
  },
  { cause: 'busy', statuses: [408, 425, 429] },
  { cause: 'rejected', statuses: ABOUT_THE_REQUEST },
  { cause: 'broken', statuses: status => status >= 499 },
  { cause: 'address', statuses: anyError },
];

/** Fields of a request that an error may be about; who says "messages" or "model" means another thing. */
const NEVER_A_PARAMETER = new Set(['messages', 'model']);

/** @param sent the request's body */
export function whyRefused(
  status: number,
  { json, text, location, retryAfterMs }: Reply,
  sent: unknown,
): NoAnswerError {
  const message = messageIn(json) ?? text;
  const codes = codesIn(json).join('\n');
  const field = fieldNamed(json, message, sent);
  const { cause } = RULES.find(rule => fits(rule, { status, codes, message, field }))!;
  return new NoAnswerError(cause, `HTTP ${status}: ${excerpt(message)}`, {
    field,
    location,
    retryAfterMs: Math.max(retryAfterMs, retryDelayMs(json)),
  });
}

function fits({ statuses, codes, message, field }: Rule, said: Said): boolean {
  if (!(typeof statuses === 'function' ? statuses(said.status) : statuses.includes(said.status))) return false;
  if (field !== undefined && (said.field === undefined || !field.test(said.field))) return false;
  if (codes === undefined && message === undefined) return true;
  return (codes?.test(said.codes) ?? false) || (message?.test(said.message) ?? false);
}

/** What a server that answers 200 says in the body to be an error: its status, 500 where it names none; null where it is no error. */
export function statusInside(json: unknown): number | null {
  const error = errorIn(json);
  if (error === undefined || error === null || error === false || error === '') return null;
  const codes = [
    fieldOf(error, 'code'),
    fieldOf(error, 'status'),
    fieldOf(error, 'http_status'),
    fieldOf(top(json), 'code'),
  ];
  const status = codes.map(Number).find(code => Number.isInteger(code) && code >= 400 && code < 600);
  return status ?? 500;
}

/** Gemini's endpoint wraps its errors in a list. */
const top = (json: unknown): unknown => (Array.isArray(json) && json.length > 0 ? json[0] : json);

/** vLLM and SGLang of some versions put the error's fields at the top. */
function errorIn(json: unknown): unknown {
  const whole = top(json);
  const error = fieldOf(whole, 'error');
  return error === undefined && fieldOf(whole, 'object') === 'error' ? whole : error;
}

function codesIn(json: unknown): string[] {
  const error = errorIn(json);
  const details = fieldOf(error, 'details');
  const reasons = Array.isArray(details) ? details.map(detail => fieldOf(detail, 'reason')) : [];
  const inner = fieldOf(error, 'innererror');
  const codes = [fieldOf(error, 'code'), fieldOf(error, 'type'), fieldOf(error, 'status'), fieldOf(inner, 'code')];
  return [...codes, fieldOf(top(json), 'code'), fieldOf(top(json), 'type'), ...reasons]
    .filter(code => typeof code === 'string' || typeof code === 'number')
    .map(String);
}

function messageIn(json: unknown): string | null {
  const error = errorIn(json);
  const whole = top(json);
  const message = fieldOf(error, 'message') ?? fieldOf(whole, 'message') ?? fieldOf(whole, 'detail') ?? error;
  if (typeof message !== 'string') return null;
  // OpenRouter says what the provider behind it said beside its own words.
  const raw = fieldOf(fieldOf(error, 'metadata'), 'raw');
  return typeof raw === 'string' && raw !== message ? `${message}: ${raw}` : message;
}

function fieldNamed(json: unknown, message: string, sent: unknown): string | undefined {
  const names = Object.keys(typeof sent === 'object' && sent !== null ? sent : {}).filter(
    name => !NEVER_A_PARAMETER.has(name),
  );
  const param = fieldOf(errorIn(json), 'param');
  if (typeof param === 'string' && names.includes(param)) return param;
  // The last of those that it names: of two that do not go together the one that more can do without.
  const words = message.split(/[^\w-]+/);
  return names.filter(name => words.includes(name)).at(-1);
}

/** Gemini says in a detail when to come back: {"retryDelay": "34s"}. */
function retryDelayMs(json: unknown): number {
  const details = fieldOf(errorIn(json), 'details');
  const delays = (Array.isArray(details) ? details : []).map(detail => fieldOf(detail, 'retryDelay'));
  const seconds = delays.map(delay => Number(/^(\d+(?:\.\d+)?)s$/.exec(String(delay))?.[1] ?? 0));
  return 1000 * Math.max(0, ...seconds);
}

const EXCERPT = 300;

/** Some words of a text on one line. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return '(an empty body)';
  return line.length <= EXCERPT ? line : `${line.slice(0, EXCERPT)} …`;
}
