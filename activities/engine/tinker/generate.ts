/** Rollouts: every prompt is in flight at once, up to a bound, and results stand in the prompts' order whenever they come. */
import { checkIds } from '../process/index.js';
import { EngineLostError, type GenerateRequest, type GenerateResult } from '../protocol/index.js';
import type { KeptSampler } from './journal.js';
import { configOf, type Operating } from './operation.js';
import { askSamples, responseOf, seedOf } from './samples.js';
import { ServiceAwayError } from './wire/outcomes.js';

/**
 * A prompt's responses are asked for at once, so that the service computes the prompt once. Equal weights, prompt and seed
 * give equal responses as far as the service gives them. Log-probabilities of a service that samples at another temperature
 * than 1 and scores at 1 are those at 1: updates refuse other temperatures.
 */
export async function generate(operating: Operating, request: GenerateRequest): Promise<GenerateResult> {
  const { policy, signal } = operating;
  const held = await policy.ready(signal, true);
  const { directory } = held.state;
  return sampled(operating, { directory, path: await held.sampler(signal) }, request);
}

/** What was kept to be sampled from cannot be. */
export class SamplerGoneError extends EngineLostError {}

/** How often a round is asked for whose answers were lost: what it is sampled from lies on the service's disk. */
const TRIES = 3;

/** From a policy that is kept, while others of the engine's operations go on. @throws SamplerGoneError */
export async function generateBeside(
  operating: Operating,
  kept: KeptSampler,
  request: GenerateRequest,
): Promise<GenerateResult> {
  for (let tries = 1; ; tries++) {
    try {
      return await sampled(operating, kept, request);
    } catch (error) {
      if (operating.signal?.aborted || error instanceof ServiceAwayError) throw error;
      if (error instanceof EngineLostError && tries < TRIES) continue;
      throw new SamplerGoneError(`${(error as Error).message} (sampling from ${kept.path}, kept of ${kept.tag})`);
    }
  }
}

async function sampled(
  { service, settings, signal, progress }: Omit<Operating, 'policy'>,
  { directory, path: address }: Pick<KeptSampler, 'directory' | 'path'>,
  { prompts, group, sampling }: GenerateRequest,
): Promise<GenerateResult> {
  const started = performance.now();
  const config = await configOf(directory);
  const most = { tokens: sampling.maxNewTokens, what: `with ${sampling.maxNewTokens} new tokens` };
  for (const { ids } of prompts) checkIds(ids, config, 'a prompt', most);
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
  const all = groups.flatMap(({ responses }) => responses);
  return {
    groups,
    newTokens: all.reduce((sum, { ids }) => sum + ids.length, 0),
    promptTokens: prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
}
