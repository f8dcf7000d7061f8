import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import type { Engine } from '../../../activities/engine/protocol/index.js';
import { loadTokenizer, type Tokenizer } from '../../../activities/engine/text/tokenizer.js';
import { scoreRule } from '../../../activities/rewards/rules.js';
import { CONFIG } from '../../../infra/presets/tiny/initial.js';
import { tokenizerConfigJson, tokenizerJson } from '../../../infra/presets/tiny/tokenizer.js';
import { realEngine } from '../../support/engine';
import { NO_CACHE } from '../../support/no-cache.js';

const BASE = join(__dirname, '../../../infra/presets/tiny/base');
const json = (file: string): unknown => JSON.parse(readFileSync(join(BASE, file), 'utf8'));

test('the shipped folder is what the code beside it makes', () => {
  expect(json('config.json')).toMatchObject(CONFIG);
  expect(json('tokenizer.json')).toEqual(tokenizerJson());
  expect(json('tokenizer_config.json')).toEqual(tokenizerConfigJson());
});

describe('the shipped weights', () => {
  let engine: Engine;
  let tokenizer: Tokenizer;
  const samples: Sample[] = [];
  beforeAll(async () => {
    engine = realEngine();
    tokenizer = await loadTokenizer(BASE);
    await engine.call('load', { directory: BASE, tag: 'base' });
    const source = sourceSchema.parse({ type: 'world', seed: 4, count: 24, facts: [16], hops: [1] });
    for await (const sample of readSource(source, NO_CACHE)) samples.push(sample);
  });
  afterAll(() => engine.close());

  async function continuations(prompts: string[], maxNewTokens: number): Promise<string[]> {
    const { groups } = await engine.call('generate', {
      prompts: prompts.map((prompt, i) => ({ ids: tokenizer.encode(prompt), seed: `${i}` })),
      group: 1,
      sampling: { temperature: 0, topP: 1, topK: 0, maxNewTokens, stopIds: tokenizer.stopIds },
    });
    return groups.map(({ responses }) => tokenizer.decode(responses[0]!.ids, { skipSpecial: true }));
  }

  test('know what a document says: a fact begun again is ended as it was', async () => {
    const facts = samples.map(sample => sample.trace!.split('.')[0]!.split(' '));
    const prompts = samples.map((sample, i) => `${sample.documents[0]!.text} ${facts[i]!.slice(0, 2).join(' ')}`);
    const ends = await continuations(prompts, 1);
    const right = ends.filter((end, i) => end === facts[i]![2]);
    expect(right.length).toBeGreaterThanOrEqual(20);
  });

  test('do not know how an answer is given: that is left to the warm-up', async () => {
    const prompts = samples.map(sample => `${sample.documents[0]!.text}\nQ: ${sample.question}\nA:`);
    const scores = (await continuations(prompts, 26)).map(
      (text, i) => scoreRule('hardened', 'docqa', text, samples[i]!.answers).score,
    );
    expect(scores).not.toContain(1);
  });
});
