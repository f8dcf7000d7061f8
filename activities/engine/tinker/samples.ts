/** Responses of the service: asked for, and made what the protocol promises. */
import { EngineRequestError, type GeneratedResponse, type SamplingSettings } from '../protocol/index.js';
import { randomStream } from '../random.js';
import { decodeSamples, type SampledSequence } from './wire/messages.js';
import type { Service } from './wire/service.js';

export interface SampleCall {
  prompt: readonly number[];
  count: number;
  temperature: number;
  /** 0 keeps every token. */
  topK: number;
  topP: number;
  maxTokens: number;
  stop: readonly number[];
  seed: number;
  /** Of the policy's weights. */
  address: string;
}

/** A number that services take: of response i they make seed + i, which stays below 2^31 as well. */
export const seedOf = (name: string, count: number): number => randomStream('tinker', name).below(2 ** 31 - count);

export async function askSamples(
  service: Service,
  { prompt, count, temperature, topK, topP, maxTokens, stop, seed, address }: SampleCall,
  signal: AbortSignal | undefined,
): Promise<SampledSequence[]> {
  const body = {
    prompt: { chunks: [{ type: 'encoded_text', tokens: prompt }] },
    num_samples: count,
    sampling_params: {
      max_tokens: maxTokens,
      seed,
      temperature,
      top_p: topP,
      top_k: topK === 0 ? -1 : topK,
      // The end token is told as well: not every service ends a response with it by itself.
      ...(stop.length > 0 && { stop }),
    },
    model_path: address,
    type: 'sample',
  };
  const sequences = await service.result('asample', body, { signal, decode: decodeSamples });
  const broken = sequences.find(({ tokens, logprobs }) => tokens.length === 0 || tokens.length !== logprobs.length);
  if (sequences.length === count && !broken) return sequences;
  throw new EngineRequestError(
    `${service.name} answered asample with ${sequences.length} responses${broken ? `, of which one has ${broken.tokens.length} tokens and ${broken.logprobs.length} log-probabilities` : ''}; expected ${count}, with a log-probability for each token`,
    'unsupported',
  );
}

/** A response up to its first end token, which is part of it. */
export function responseOf(
  { tokens, logprobs, finish }: SampledSequence,
  { stopIds }: SamplingSettings,
): GeneratedResponse {
  const end = tokens.findIndex(id => stopIds.includes(id));
  const length = end < 0 ? tokens.length : end + 1;
  return { ids: tokens.slice(0, length), logprobs: logprobs.slice(0, length), finish: end < 0 ? finish : 'stop' };
}
