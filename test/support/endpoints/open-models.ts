/** Providers on the net of models that anybody may serve, each by what its documentation and its users' threads say. */
import { delta, events, fine, json, type Provider, says } from './answers.js';

const LEFT_OUT = 'left out, counted';
const AGAIN = 'asked again, then answered';
const counts = 'answered';
const topUp = 'refused: top it up, and the work goes on; waits';

export const DEEPSEEK: Provider = {
  name: 'DeepSeek',
  cases: [
    {
      does: '402: Insufficient Balance',
      source: 'https://github.com/continuedev/continue/issues/4293',
      answers: [
        json(402, { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } }),
      ],
      judge: topUp,
      evaluation: topUp,
    },
    {
      does: '200: finish_reason insufficient_system_resource',
      source: 'https://api-docs.deepseek.com/api/create-chat-completion',
      answers: [says('', { finish: 'insufficient_system_resource' }), fine],
      judge: AGAIN,
      evaluation: AGAIN,
    },
    {
      does: 'comments while it waits for a server, then the pieces',
      source: 'https://api-docs.deepseek.com/quick_start/rate_limit',
      settings: { stream: true },
      answers: [
        events(
          ': keep-alive',
          ': keep-alive',
          delta({ role: 'assistant', content: null, reasoning_content: 'Hm.' }),
          delta({ content: '[[Y' }),
          delta({ content: 'ES]]' }, 'stop'),
          { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5 } },
          'data: [DONE]',
        ),
      ],
      judge: counts,
      evaluation: counts,
    },
  ],
};

export const OPENROUTER: Provider = {
  name: 'OpenRouter',
  cases: [
    {
      does: '200: an error inside the choice',
      source: 'https://github.com/UKGovernmentBEIS/inspect_ai/issues/1536',
      answers: [
        json(200, {
          choices: [
            {
              index: 0,
              finish_reason: 'error',
              error: { code: 502, message: 'upstream failed' },
              message: { role: 'assistant', content: '' },
            },
          ],
          usage: { prompt_tokens: 10, completion_tokens: 0 },
        }),
        fine,
      ],
      judge: AGAIN,
      evaluation: AGAIN,
    },
    {
      does: 'an error in the middle of the pieces',
      source: 'https://github.com/diegosouzapw/OmniRoute/pull/8210',
      settings: { stream: true },
      answers: [
        events(': OPENROUTER PROCESSING', delta({ content: '[[NO' }), {
          choices: [],
          error: { code: 502, message: 'Worker local total request limit reached' },
        }),
        events(delta({ content: '[[YES]]' }, 'stop'), 'data: [DONE]'),
      ],
      judge: AGAIN,
      evaluation: AGAIN,
    },
    {
      does: 'pieces that end before the reply does',
      source: 'https://github.com/can1357/oh-my-pi/issues/9433',
      settings: { stream: true },
      answers: [events(delta({ content: '[[YES]]' })), events(delta({ content: '[[YES]]' }, 'stop'))],
      judge: AGAIN,
      evaluation: AGAIN,
    },
    {
      does: '403: flagged by moderation',
      source: 'https://openrouter.ai/docs/api-reference/errors',
      answers: [
        json(403, {
          error: {
            code: 403,
            message: 'The chosen model requires moderation and your input was flagged',
            metadata: { reasons: ['violence'] },
          },
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
  ],
};

export const DASHSCOPE: Provider = {
  name: 'DashScope',
  cases: [
    {
      does: '400: This model only supports stream mode',
      source: 'https://github.com/alibaba/spring-ai-alibaba/issues/867',
      answers: [
        json(400, {
          error: {
            code: 'invalid_parameter_error',
            message: 'This model only supports stream mode',
            type: 'invalid_request_error',
          },
        }),
      ],
      judge: 'refused: Set stream: true',
      evaluation: 'refused: Set stream: true',
    },
    {
      does: '400: enable_thinking must be set to false for non-streaming calls',
      source: 'https://github.com/langchain4j/langchain4j/issues/3974',
      answers: [
        json(400, {
          message: 'parameter.enable_thinking must be set to false for non-streaming calls',
          code: 'InvalidParameter',
        }),
      ],
      judge: 'refused: Set stream: true',
      evaluation: 'refused: Set stream: true',
    },
    {
      does: '400: Arrearage',
      source: 'https://github.com/tencentmusic/supersonic/issues/1572',
      answers: [
        json(400, {
          error: { message: 'Access denied, please make sure your account is in good standing.', code: 'Arrearage' },
        }),
      ],
      judge: topUp,
      evaluation: topUp,
    },
    {
      does: '400: data_inspection_failed',
      source: 'https://www.alibabacloud.com/help/en/model-studio/error-code',
      answers: [
        json(400, {
          error: { message: 'Input data may contain inappropriate content.', code: 'data_inspection_failed' },
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
  ],
};
