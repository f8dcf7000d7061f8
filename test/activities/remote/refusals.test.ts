/** Errors as providers word them, against what is meant by them. */
import type { CauseName } from '../../../activities/remote/outcomes.js';
import { statusInside, whyRefused } from '../../../activities/remote/refusals.js';

const SENT = { model: 'm', messages: [], temperature: 0, top_p: 0.9, max_tokens: 100, seed: 1, stream_options: {} };
const reasonOf = (status: number, json: unknown) =>
  whyRefused(
    status,
    { status, location: undefined, retryAfterMs: 0, text: JSON.stringify(json), json, isPage: false },
    SENT,
  );
const message = (text: string, rest: object = {}) => ({ error: { message: text, ...rest } });

test.each<[CauseName, number, unknown]>([
  ['no credit', 402, message('Insufficient credits', { code: 402 })],
  ['no credit', 429, message('Your account is suspended', { type: 'exceeded_current_quota_error' })],
  ['no credit', 403, message('Your team has either used all available credits or reached its limit.')],
  ['no credit', 403, { code: 30001, message: 'Sorry, your account balance is insufficient', data: null }],
  ['no credit', 429, message('您的账户已欠费，请充值后重试。', { code: '1113' })],
  ['no credit', 403, message('The free tier has been exhausted.', { code: 'AllocationQuota.FreeTierOnly' })],
  ['busy', 429, message('You exceeded your current quota, please check your plan', { status: 'RESOURCE_EXHAUSTED' })],
  ['busy', 429, message('Rate limit reached: Limit 30000, Requested 400', { code: 'rate_limit_exceeded' })],
  ['too long', 429, message('Request too large for m on tokens per min: Limit 30000, Requested 40000')],
  ['too long', 400, message('However, your messages resulted in 6988 tokens.', { code: 'context_length_exceeded' })],
  [
    'too long',
    400,
    message(
      "'max_tokens' is too large: 4000. This model's maximum context length is 4096 tokens and your request has 1000",
    ),
  ],
  ['too long', 400, message('prompt is too long: 210000 tokens > 200000 maximum')],
  ['too long', 400, message('input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000')],
  ['too long', 400, message('The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).')],
  ['room', 400, message('Range of max_tokens should be [1, 8192]', { code: 'invalid_parameter_error' })],
  ['room', 400, message('Invalid max_tokens value, the valid range of max_tokens is [1, 8192]')],
  ['room', 400, message('max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens')],
  ['stream only', 400, message('Stream must be set to true')],
  ['stream only', 400, message('This model only support stream mode, please enable the stream parameter.')],
  ['stream only', 400, message('enable thinking can not be support when `stream=False`.')],
  ['limit field', 400, message("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")],
  ['address', 400, message('Model does not exist. Please check it carefully.')],
  ['address', 400, message('Invalid model name passed in model=foo.')],
  ['address', 404, message('The API deployment does not exist.', { code: 'DeploymentNotFound' })],
  ['address', 400, message('The plain HTTP request was sent to HTTPS port')],
  [
    'key',
    400,
    [message('API key not valid.', { status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] })],
  ],
  ['key', 401, message('Authentication Fails (no such user)')],
  ['key', 400, message('Multiple authentication credentials received')],
  ['filtered', 400, message('Content Exists Risk')],
  ['filtered', 400, message('your prompt was flagged as potentially violating our usage policy.')],
  ['rejected', 400, message('Bad request')],
  ['broken', 500, message('model requires more system memory (9 GiB) than is available (7 GiB)')],
])('%s: %i %j', (reason, status, json) => {
  expect(reasonOf(status, json).reason).toBe(reason);
});

test.each<[string, number, unknown]>([
  ['top_p', 400, message('`temperature` and `top_p` cannot both be specified for this model.')],
  ['temperature', 400, message('temperature is deprecated for this model.')],
  ['temperature', 400, message('Not this one.', { param: 'temperature', code: 'unsupported_value' })],
  [
    'seed',
    422,
    { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] },
  ],
  ['stream_options', 400, message('Unrecognized request argument supplied: stream_options', { param: null })],
])('the field %s is refused: %i %j', (field, status, json) => {
  expect(reasonOf(status, json)).toMatchObject({ reason: 'parameter', said: { field } });
});

test.each<[number | null, unknown]>([
  [null, { choices: [] }],
  [null, { choices: [], error: null }],
  [500, { error: 'rate limited' }],
  [500, { error: { message: 'broken' } }],
  [429, { error: { message: 'busy', code: 429 } }],
  [429, { error: { message: 'busy', code: '429' } }],
  [400, [{ error: { code: 400, status: 'INVALID_ARGUMENT' } }]],
  [400, { object: 'error', message: 'too long', code: 400 }],
])('%s is the status inside of a 200: %j', (status, json) => {
  expect(statusInside(json)).toBe(status);
});
