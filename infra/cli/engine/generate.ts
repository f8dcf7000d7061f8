/** `longhaul engine generate`: groups of responses to prompts. */
import { createHash } from 'node:crypto';
import { Command } from 'commander';
import type { z } from 'zod';
import { checkIds } from '../../../activities/engine/process/index.js';
import type { SamplingSettings } from '../../../activities/engine/protocol/index.js';
import { inLots, type Placed, placed, readLines, writeLines } from '../json-lines.js';
import { atLeastOne, nucleus, wholeNumber, zeroOrMore } from './numbers.js';
import { promptIds, promptRecord } from './records.js';
import { type EngineFlags, type ModelSession, note, withEngineFlags, withModel } from './session.js';
import { type TemplateFlags, withTemplateFlags } from './template-flags.js';

interface GenerateFlags extends EngineFlags, TemplateFlags {
  input: string;
  output: string;
  group: number;
  maxNewTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  seed: number;
  stopIds?: number[];
}

/** Prompts handed to the engine at a time: enough to fill its batches, few enough to stream. */
const LOT = 16;

export function generateCommand(): Command {
  return withTemplateFlags(withEngineFlags(new Command('generate')))
    .description('sample a group of responses to each prompt')
    .requiredOption(
      '--input <file>',
      'JSON lines {"ids": […]}, {"text": "…"} or {"messages": […]}; - is standard input',
    )
    .requiredOption(
      '--output <file>',
      'JSON lines {"prompt_ids", "responses": [{"ids", "logprobs", "text", "finish"}]}; - is standard output',
    )
    .option('--group <n>', 'responses to each prompt', atLeastOne, 1)
    .option('--max-new-tokens <n>', 'most tokens a response may have', atLeastOne, 256)
    .option('--temperature <x>', '0 is greedy', zeroOrMore, 1)
    .option('--top-p <x>', 'sample among the most likely tokens of this total probability; 1: all', nucleus, 1)
    .option('--top-k <n>', 'and among so many at most; 0: all', wholeNumber, 0)
    .option('--seed <n>', 'equal model, prompt and seed give equal responses', wholeNumber, 0)
    .option('--stop-ids <ids>', "ids that end a response, with commas (default: the model's own)", idList)
    .addHelpText(
      'after',
      '\nLog-probabilities are natural logarithms at the sampling temperature (greedy: at 1), over the whole vocabulary\n' +
        '(before top-p and top-k): what `longhaul engine update` wants back. "finish" is "stop" or "length".',
    )
    .action((flags: GenerateFlags) =>
      withModel(flags, null, session => writeLines(flags.output, generate(flags, session))),
    );
}

async function* generate(flags: GenerateFlags, session: ModelSession) {
  const tokenizer = await session.tokenizer().catch(error => {
    if (flags.stopIds) return null;
    throw error;
  });
  const sampling: SamplingSettings = {
    temperature: flags.temperature,
    topP: flags.topP,
    topK: flags.topK,
    maxNewTokens: flags.maxNewTokens,
    stopIds: flags.stopIds ?? tokenizer!.stopIds,
  };
  const { maxNewTokens } = sampling;
  const read = ({ place, record }: Placed<z.output<typeof promptRecord>>) =>
    placed(place, async () => {
      const ids = await promptIds(record, session);
      checkIds(ids, session.config, 'a prompt', { tokens: maxNewTokens, what: `and ${maxNewTokens} new tokens` });
      return ids;
    });
  let done = 0;
  for await (const lot of inLots(readLines(flags.input, promptRecord), LOT)) {
    const prompts = await Promise.all(lot.map(read));
    const { groups, newTokens, seconds } = await session.engine.call('generate', {
      prompts: prompts.map(ids => ({ ids, seed: streamName(flags.seed, ids) })),
      group: flags.group,
      sampling,
    });
    for (const [i, { responses }] of groups.entries())
      yield {
        prompt_ids: prompts[i],
        responses: responses.map(({ ids, logprobs, finish }) => ({
          ids,
          logprobs,
          text: tokenizer?.decode(ids, { skipSpecial: true }) ?? null,
          finish,
        })),
      };
    done += lot.length;
    note(`${done} prompts, ${Math.round(newTokens / seconds)} tokens a second`);
  }
}

/** A prompt's random stream is named by its content, so its responses do not depend on its place in the file. */
function streamName(seed: number, ids: readonly number[]): string {
  return `${seed}/${createHash('sha256').update(ids.join()).digest('hex')}`;
}

const idList = (text: string): number[] => text.split(',').map(wholeNumber);
