/** Rollouts: every prompt is in flight at once, up to a bound, and results stand in the prompts' order whenever they come. */
import { checkIds } from '../process/index.js';
import type { GenerateRequest, GenerateResult } from '../protocol/index.js';
import { configOf, type Operating } from './operation.js';
import { askSamples, responseOf, seedOf } from './samples.js';

/**
 * A prompt's responses are asked for at once, so that the service computes the prompt once. Equal weights, prompt and seed
 * give equal responses as far as the service gives them. Log-probabilities of a service that samples at another temperature
 * than 1 and scores at 1 are those at 1: updates refuse other temperatures.
 */
export async function generate(
  { service, policy, settings, signal, progress }: Operating,
  { prompts, group, sampling }: GenerateRequest,
): Promise<GenerateResult> {
  const started = performance.now();
  const held = await policy.ready(signal, true);
  const config = await configOf(held.state.directory);
  const most = { tokens: sampling.maxNewTokens, what: `with ${sampling.maxNewTokens} new tokens` };
  for (const { ids } of prompts) checkIds(ids, config, 'a prompt', most);
  const address = await held.sampler(signal);
  const { default: pMap } = await import('p-map');
  const total = prompts.length * group * sampling.maxNewTokens;
  let done = 0;
  const groups = await pMap(
    prompts,
    async ({ ids, seed }) => {
      const { temperature, topP, topK, maxNewTokens: maxTokens, stopIds: stop } = sampling;
      const settingsOfIt = { temperature, topP, topK, maxTokens, stop, address };
      const call = { ...settingsOfIt, prompt: ids, count: group, seed: seedOf(seed, group) };
      const responses = (await askSamples(service, call, signal)).map(sequence => responseOf(sequence, sampling));
      done += group * sampling.maxNewTokens;
      progress(done, total, 'tokens');
      return { responses };
    },
    { concurrency: settings.concurrency, ...(signal && { signal }) },
  );
  const sampled = groups.flatMap(({ responses }) => responses);
  return {
    groups,
    newTokens: sampled.reduce((sum, { ids }) => sum + ids.length, 0),
    promptTokens: prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
}
