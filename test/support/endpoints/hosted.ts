/** Providers of models of their own, each by what its documentation and its users' threads say. */
import { fine, json, type Provider, says, unless } from './answers.js';

const LEFT_OUT = 'left out, counted';
const AGAIN = 'asked again, then answered';
const counts = 'answered';
const topUp = 'refused: top it up, and the work goes on; waits';

export const OPENAI: Provider = {
  name: 'OpenAI',
  cases: [
    {
      does: '400: max_tokens is unknown to the model, use max_completion_tokens',
      source: 'https://platform.openai.com/docs/api-reference/chat/create',
      answers: [
        unless(
          ({ body }) => !('max_tokens' in body),
          json(400, {
            error: {
              message:
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
              type: 'invalid_request_error',
              param: 'max_tokens',
              code: 'unsupported_parameter',
            },
          }),
        ),
      ],
      judge: 'put otherwise, then answered',
      evaluation: 'put otherwise, then answered',
    },
    {
      does: '400: no temperature but 1',
      source: 'https://platform.openai.com/docs/guides/reasoning',
      answers: [
        json(400, {
          error: {
            message:
              "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
            type: 'invalid_request_error',
            param: 'temperature',
            code: 'unsupported_value',
          },
        }),
      ],
      judge: 'refused: extra: {"temperature": null}',
      evaluation: 'refused: extra: {"temperature": null}',
    },
    {
      does: '400: a longer reply than the model gives',
      source: 'https://platform.openai.com/docs/models',
      answers: [
        json(400, {
          error: {
            message: 'max_tokens is too large: 100000. This model supports at most 16384 completion tokens.',
            type: 'invalid_request_error',
            param: 'max_tokens',
            code: 'invalid_value',
          },
        }),
      ],
      judge: 'refused: Lower sampling.maxNewTokens (of a judge: maxTokens)',
      evaluation: 'refused: Lower sampling.maxNewTokens (of a judge: maxTokens)',
    },
    {
      does: '429 with insufficient_quota',
      source: 'https://github.com/langchain-ai/langchainjs/issues/1929',
      answers: [
        json(429, {
          error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' },
        }),
      ],
      judge: topUp,
      evaluation: topUp,
    },
    {
      does: 'the refusal field in place of content',
      source: 'https://platform.openai.com/docs/guides/structured-outputs',
      answers: [says(null, { message: { refusal: 'I cannot help with that.' } })],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: 'a call of a tool, null content',
      source: 'https://platform.openai.com/docs/guides/function-calling',
      answers: [says(null, { finish: 'tool_calls', message: { tool_calls: [{ id: 'c', type: 'function' }] } })],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
  ],
};

export const AZURE: Provider = {
  name: 'Azure OpenAI',
  cases: [
    {
      does: '401 unless the key is in api-key',
      source: 'https://github.com/openlit/openlit/issues/735',
      settings: { keyVariable: 'CHAT_KEY' },
      answers: [
        unless(
          ({ headers }) => 'api-key' in headers,
          json(401, {
            error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' },
          }),
        ),
      ],
      judge: 'refused: keyHeader (Azure: api-key); waits',
      evaluation: 'refused: keyHeader (Azure: api-key); waits',
    },
    {
      does: 'the same, with keyHeader: api-key',
      source: 'https://github.com/wuwangzhang1216/abliterix/issues/18',
      settings: { keyVariable: 'CHAT_KEY', keyHeader: 'api-key' },
      answers: [
        unless(({ headers }) => 'api-key' in headers && !('authorization' in headers), json(401, { error: {} })),
      ],
      judge: counts,
      evaluation: counts,
    },
    {
      does: '400: the prompt is filtered',
      source: 'https://github.com/openai/openai-python/issues/331',
      answers: [
        json(400, {
          error: {
            message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            param: 'prompt',
            code: 'content_filter',
            status: 400,
          },
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '200: the reply is filtered (finish_reason content_filter)',
      source: 'https://github.com/promptfoo/promptfoo/issues/5859',
      answers: [says('', { finish: 'content_filter', usage: { prompt_tokens: 10, completion_tokens: 0 } })],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
  ],
};

export const GEMINI: Provider = {
  name: "Gemini's OpenAI endpoint",
  cases: [
    {
      does: '400 in a list: Unknown name of a field',
      source: 'https://github.com/Vali-98/ChatterUI/issues/227',
      settings: { extra: { frequency_penalty: 0 } },
      answers: [
        json(400, [
          {
            error: {
              code: 400,
              message: 'Invalid JSON payload received. Unknown name "frequency_penalty": Cannot find field.',
              status: 'INVALID_ARGUMENT',
            },
          },
        ]),
      ],
      judge: 'refused: extra: {"frequency_penalty": null}',
      evaluation: 'refused: extra: {"frequency_penalty": null}',
    },
    {
      does: 'usage without completion_tokens',
      source: 'https://github.com/modelscope/evalscope/issues/1432',
      answers: [says('[[YES]]', { usage: { prompt_tokens: 10, total_tokens: 10 } })],
      judge: counts,
      evaluation: counts,
    },
    {
      does: 'cut off while thinking: a choice without a message',
      source: 'https://github.com/modelscope/evalscope/issues/1432',
      answers: [
        json(200, {
          choices: [{ finish_reason: 'length', index: 0 }],
          usage: { prompt_tokens: 7180, total_tokens: 7193 },
        }),
      ],
      judge: 'put otherwise, then refused: Raise reward.judge.maxTokens',
      evaluation: 'answered, cut off',
    },
    {
      does: '429 with the seconds to wait in a detail',
      source: 'https://github.com/google-gemini/gemini-cli/issues/10925',
      answers: [
        json(429, [
          {
            error: {
              code: 429,
              message: 'You exceeded your current quota, please check your plan and billing details.',
              status: 'RESOURCE_EXHAUSTED',
              details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }],
            },
          },
        ]),
        fine,
      ],
      judge: AGAIN,
      evaluation: AGAIN,
    },
  ],
};

export const CLAUDE: Provider = {
  name: "Claude's compatible endpoint",
  cases: [
    {
      does: '400 where temperature and top_p are both sent',
      source: 'https://github.com/BerriAI/litellm/issues/15097',
      answers: [
        unless(
          ({ body }) => !('top_p' in body && 'temperature' in body),
          json(400, {
            type: 'error',
            error: {
              type: 'invalid_request_error',
              message: 'temperature and top_p cannot both be specified for this model',
            },
          }),
        ),
      ],
      judge: counts,
      evaluation: 'refused: extra: {"top_p": null} (topP: 1 is not sent at all)',
    },
    {
      does: '400: the credit balance is too low',
      source: 'https://github.com/anthropics/claude-code/issues/4684',
      answers: [
        json(400, {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
          },
        }),
      ],
      judge: topUp,
      evaluation: topUp,
    },
    {
      does: '529: overloaded',
      source: 'https://docs.anthropic.com/en/api/errors',
      answers: [json(529, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }), fine],
      judge: AGAIN,
      evaluation: AGAIN,
    },
  ],
};
