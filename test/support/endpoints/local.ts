/** Servers that people run themselves, and gateways, each by what its documentation and its users' threads say. */
import { fine, json, type Provider, says, text } from './answers.js';

const LEFT_OUT = 'left out, counted';
const AGAIN = 'asked again, then answered';
const CHECK_URL = `refused: Check url (the base, such as https://api.openai.com/v1), the model's name, and what "extra" adds to or takes from a request`;

export const VLLM: Provider = {
  name: 'vLLM',
  cases: [
    {
      does: "400: beyond the model's context",
      source: 'https://github.com/vllm-project/vllm/issues/20409',
      answers: [
        json(400, {
          object: 'error',
          message:
            "This model's maximum context length is 16384 tokens. However, you requested 19591 tokens (9591 in the messages, 10000 in the completion). Please reduce the length of the messages or completion. None",
          type: 'BadRequestError',
          param: null,
          code: 400,
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '404: The model does not exist',
      source: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
      answers: [
        json(404, { object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 }),
      ],
      judge: CHECK_URL,
      evaluation: CHECK_URL,
    },
    {
      does: 'reasoning alone: all of the reply is taken for thinking',
      source: 'https://docs.vllm.ai/en/latest/features/reasoning_outputs.html',
      answers: [says(null, { message: { reasoning_content: 'They are equal.\n[[YES]]' } })],
      judge: 'answered',
      evaluation: 'answered',
    },
  ],
};

export const SGLANG: Provider = {
  name: 'SGLang',
  cases: [
    {
      does: "400: longer than the model's context",
      source: 'https://github.com/QwenLM/Qwen3/issues/1321',
      answers: [
        json(400, {
          object: 'error',
          message: "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
          type: 'BadRequestError',
          code: 400,
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '200: finish_reason abort',
      source: 'https://github.com/BerriAI/litellm/issues/38199',
      answers: [says('', { finish: 'abort' }), fine],
      judge: AGAIN,
      evaluation: AGAIN,
    },
  ],
};

export const OLLAMA: Provider = {
  name: 'Ollama',
  cases: [
    {
      does: 'cuts long prompts silently, and counts what is left',
      source: 'https://github.com/ollama/ollama/issues/3839',
      isLong: true,
      answers: [says('[[YES]]', { usage: { prompt_tokens: 1024, completion_tokens: 3 } })],
      judge: LEFT_OUT,
      evaluation: 'answered, with a warning',
    },
    {
      does: '404: the model is not pulled',
      source: 'https://github.com/ollama/ollama/blob/main/docs/openai.md',
      answers: [
        json(404, {
          error: { message: 'model "m" not found, try pulling it first', type: 'not_found_error', code: null },
        }),
      ],
      judge: CHECK_URL,
      evaluation: CHECK_URL,
    },
  ],
};

export const LLAMA_CPP: Provider = {
  name: 'llama.cpp',
  cases: [
    {
      does: '400: exceed_context_size_error',
      source: 'https://github.com/ggml-org/llama.cpp/pull/15780',
      answers: [
        json(400, {
          error: {
            code: 400,
            message: 'the request exceeds the available context size, try increasing it',
            type: 'exceed_context_size_error',
            n_prompt_tokens: 14429,
            n_ctx: 8192,
          },
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '500: Context size has been exceeded',
      source: 'https://github.com/ggml-org/llama.cpp/issues/19774',
      answers: [json(500, { error: { code: 500, message: 'Context size has been exceeded.', type: 'server_error' } })],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '200 with the error of a 400 inside',
      source: 'https://github.com/oobabooga/textgen/issues/7257',
      answers: [
        json(200, {
          error: {
            code: 400,
            message: 'the request exceeds the available context size. try increasing the context size',
            type: 'exceed_context_size_error',
          },
        }),
      ],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: '503: Loading model',
      source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
      answers: [json(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }), fine],
      judge: AGAIN,
      evaluation: AGAIN,
    },
  ],
};

export const GATEWAYS: Provider = {
  name: 'Gateways and others',
  cases: [
    {
      does: 'LM Studio: 200 and no text where the prompt is too long',
      source: 'https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2339',
      answers: [says('')],
      judge: LEFT_OUT,
      evaluation: LEFT_OUT,
    },
    {
      does: 'no choices',
      source: 'https://github.com/pydantic/pydantic-ai/pull/7910',
      answers: [json(200, { choices: [] }), json(200, { choices: null }), fine],
      judge: AGAIN,
      evaluation: AGAIN,
    },
    {
      does: '200 with null for every count',
      source: 'https://github.com/maximhq/bifrost/issues/5425',
      answers: [says('[[YES]]', { usage: { prompt_tokens: null, completion_tokens: null, total_tokens: 0 } })],
      judge: 'answered',
      evaluation: 'answered',
    },
    {
      does: 'a web page with 200',
      source: 'https://github.com/openclaw/openclaw/issues/84697',
      answers: [text(200, '<!doctype html><html><body>Sign in</body></html>', 'text/html')],
      judge:
        'refused: Check url (the base, such as https://api.openai.com/v1, most often with /v1), and whether a proxy wants a sign-in',
      evaluation:
        'refused: Check url (the base, such as https://api.openai.com/v1, most often with /v1), and whether a proxy wants a sign-in',
    },
    {
      does: 'a judge that thinks until maxTokens',
      source: 'https://github.com/BuilderIO/agent-native/issues/4861',
      answers: [
        says(null, {
          finish: 'length',
          message: { reasoning_content: 'Let me see' },
          usage: { prompt_tokens: 300, completion_tokens: 1024 },
        }),
      ],
      judge: 'put otherwise, then refused: Raise reward.judge.maxTokens',
      evaluation: 'answered, cut off',
    },
    {
      does: 'a judge that never decides',
      source: 'https://github.com/comet-ml/opik/issues/7402',
      answers: [says('[[YES]] or [[NO]]')],
      judge: 'put otherwise, then left out, counted',
      evaluation: 'answered',
    },
    {
      does: 'away for good',
      source: 'https://platform.openai.com/docs/guides/error-codes',
      answers: [json(503, { error: { message: 'Overloaded' } })],
      judge: 'asked again, then left out, counted',
      evaluation: 'asked again, then waited for',
    },
  ],
};
