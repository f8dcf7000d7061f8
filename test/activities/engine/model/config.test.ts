import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Weights } from '../../../../activities/engine/files/weights.js';
import { expectedTensors, parseConfig } from '../../../../activities/engine/model/config.js';

const GOLDEN = join(__dirname, '../../../fixtures/golden');

const LLAMA = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  vocab_size: 100,
  hidden_size: 48,
  intermediate_size: 96,
  num_hidden_layers: 1,
  num_attention_heads: 6,
  max_position_embeddings: 512,
};
const parse = (changes: object) => parseConfig('model/config.json', { ...LLAMA, ...changes });

describe.each(['llama', 'qwen2', 'qwen3'])('%s as transformers writes it', family => {
  const directory = join(GOLDEN, family);
  const read = async () => {
    const path = join(directory, 'config.json');
    return parseConfig(path, JSON.parse(await readFile(path, 'utf8')));
  };

  test('every field', async () => {
    const common = {
      architecture: family,
      vocabularySize: 320,
      hiddenSize: 32,
      intermediateSize: 64,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      ropeScaling: null,
      contextLength: 1024,
      bosId: 0,
      eosIds: [1],
      rmsNormEps: 1e-6,
    };
    const plain = {
      headDim: 8,
      tiedEmbeddings: false,
      attentionBias: false,
      outputBias: false,
      mlpBias: false,
      qkNorm: false,
    };
    const own: Record<string, object> = {
      llama: { ...plain, ropeTheta: 10_000, rmsNormEps: 1e-5, attentionBias: true, outputBias: true, mlpBias: true },
      qwen2: { ...plain, ropeTheta: 1_000_000, attentionBias: true, tiedEmbeddings: true },
      qwen3: { ...plain, ropeTheta: 500_000, headDim: 16, qkNorm: true },
    };
    expect(await read()).toEqual({ ...common, ...own[family] });
  });

  test('expects just the tensors that transformers stored, in their shapes', async () => {
    const weights = await Weights.open(directory);
    const stored = weights.names.map(name => [name, weights.entry(name)!.shape]);
    await weights.close();
    expect(Object.fromEntries(expectedTensors(await read()))).toEqual(Object.fromEntries(stored));
  });
});

describe("what a file leaves out has transformers' defaults", () => {
  test('llama', () => {
    expect(parse({})).toMatchObject({
      kvHeads: 6,
      headDim: 8,
      rmsNormEps: 1e-6,
      ropeTheta: 10_000,
      tiedEmbeddings: false,
      attentionBias: false,
      bosId: 1,
      eosIds: [2],
    });
  });

  test('qwen3 has heads of 128, qwen2 of hidden / heads; neither a first or last token', () => {
    const qwen = { architectures: null, num_key_value_heads: 2 };
    expect(parse({ ...qwen, model_type: 'qwen3' })).toMatchObject({ headDim: 128, bosId: null, eosIds: [] });
    expect(parse({ ...qwen, model_type: 'qwen2' })).toMatchObject({ headDim: 8, bosId: null, eosIds: [] });
  });

  test('a null is no default', () => {
    expect(parse({ bos_token_id: null, eos_token_id: null, head_dim: null })).toMatchObject({
      bosId: null,
      eosIds: [],
      headDim: 8,
    });
  });
});

describe('fields written in more than one way', () => {
  test.each([
    ['version 4', { rope_theta: 5e5, rope_scaling: null }, 5e5],
    ['version 5', { rope_parameters: { rope_type: 'default', rope_theta: 5e5 } }, 5e5],
    ['both: version 5 wins', { rope_theta: 1e4, rope_parameters: { rope_type: 'default', rope_theta: 5e5 } }, 5e5],
    ['a scaling of none', { rope_theta: 5e5, rope_scaling: { type: 'default' } }, 5e5],
    ['an empty scaling', { rope_theta: 1e4, rope_parameters: { rope_theta: 5e5 }, rope_scaling: {} }, 5e5],
    ['a scaling without it', { rope_theta: 5e5, rope_scaling: { type: 'linear', factor: 2 } }, 5e5],
  ])('rotary base, %s', (_, fields, ropeTheta) => {
    expect(parse(fields).ropeTheta).toBe(ropeTheta);
  });

  test.each<[string, object, number]>([
    ['plain', {}, 512],
    ['linear, the context left as it was', { rope_scaling: { type: 'linear', factor: 4 } }, 2048],
    [
      'linear, from another context',
      { original_max_position_embeddings: 300, rope_scaling: { type: 'linear', factor: 2 } },
      600,
    ],
    [
      'yarn, the context left as it was',
      { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 512 } },
      2048,
    ],
    ['yarn without the original context', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, 2048],
    [
      'yarn from less than the context',
      { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 400 } },
      1600,
    ],
    [
      'yarn, the context lengthened already',
      { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 } },
      512,
    ],
    [
      'yarn, lengthened beyond the factor',
      { rope_scaling: { rope_type: 'yarn', factor: 2, original_max_position_embeddings: 128 } },
      512,
    ],
    ['yarn with a factor that is no whole number', { rope_scaling: { rope_type: 'yarn', factor: 1.3 } }, 665],
    [
      'yarn, the original context beside it',
      { original_max_position_embeddings: 256, rope_parameters: { rope_type: 'yarn', factor: 4 } },
      1024,
    ],
    [
      'yarn, the factor by the contexts',
      { rope_scaling: { rope_type: 'yarn', factor: null, original_max_position_embeddings: 128 } },
      512,
    ],
    [
      'llama3, lengthened in any case',
      {
        rope_scaling: {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 512,
        },
      },
      512,
    ],
  ])('context, %s', (_, fields, contextLength) => {
    expect(parse(fields).contextLength).toBe(contextLength);
  });

  test('one end of text or several', () => {
    expect(parse({ eos_token_id: 7 }).eosIds).toEqual([7]);
    expect(parse({ eos_token_id: [7, 9] }).eosIds).toEqual([7, 9]);
  });

  test('a sliding window that is there but not used', () => {
    expect(parse({ use_sliding_window: false, sliding_window: 4096, layer_types: ['full_attention'] }).layers).toBe(1);
  });
});

describe('refused by name', () => {
  test.each<[object, RegExp]>([
    [{ model_type: 'mistral' }, /model_type 'mistral' is not supported; supported: llama, qwen2, qwen3/],
    [{ model_type: 'qwen3_moe' }, /model_type 'qwen3_moe' is not supported/],
    [{ model_type: 'constructor' }, /model_type 'constructor' is not supported/],
    [
      { architectures: ['LlamaForSequenceClassification'] },
      /architectures 'LlamaForSequenceClassification' is not supported; supported: LlamaForCausalLM/,
    ],
    [{ hidden_act: 'gelu' }, /hidden_act 'gelu' is not supported; supported: silu/],
    [
      { rope_scaling: { rope_type: 'dynamic', factor: 8 } },
      /rope_scaling\.rope_type 'dynamic' is not supported; supported: default, linear, llama3, yarn/,
    ],
    [{ rope_scaling: { type: 'constructor' } }, /rope_scaling\.rope_type 'constructor' is not supported/],
    [
      { rope_parameters: { rope_type: 'longrope', factor: 4, rope_theta: 1e4 } },
      /rope_parameters\.rope_type 'longrope' is not supported/,
    ],
    [
      { rope_parameters: { full_attention: { rope_type: 'yarn', factor: 4 } } },
      /rope_parameters\.full_attention has parameters of its own, which is not supported/,
    ],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, /partial_rotary_factor '0\.5' is not supported/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor '0\.5' is not supported; supported: 1/],
    [{ use_sliding_window: true, sliding_window: 4096 }, /use_sliding_window 'true' is not supported/],
    [{ layer_types: ['full_attention', 'sliding_attention'] }, /layer_types 'sliding_attention' is not supported/],
    [
      { quantization_config: { quant_method: 'gptq' } },
      /quantization_config .*gptq.* is not supported; supported: weights in F32, F16 or BF16/,
    ],
  ])('unsupported %j', (changes, message) => {
    expect(() => parse(changes)).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(message) }),
    );
  });

  test.each<[object, RegExp]>([
    [{ hidden_size: undefined, vocab_size: '100' }, /vocab_size: .*number.*; hidden_size: .*number/],
    [{ num_hidden_layers: 0 }, /num_hidden_layers: /],
    [
      { num_attention_heads: 6, num_key_value_heads: 4 },
      /num_attention_heads 6 is not a multiple of num_key_value_heads 4/,
    ],
    [{ hidden_size: 50 }, /head size 8\.33.* expected an even whole number/],
    [{ head_dim: 7 }, /head size 7 .* expected an even whole number/],
    [{ rope_scaling: { type: 'linear' } }, /rope_scaling\.factor: .*number/],
    [{ rope_scaling: { type: 'linear', factor: 0 } }, /rope_scaling\.factor: .*>0/],
    [
      { rope_parameters: { rope_type: 'llama3', factor: '8', low_freq_factor: 4 } },
      /rope_parameters\.factor: .*number.*; rope_parameters\.high_freq_factor: .*number/,
    ],
    [
      { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
      /rope_scaling\.high_freq_factor: expected a number above low_freq_factor/,
    ],
    [{ rope_scaling: { rope_type: 'yarn' } }, /rope_scaling\.factor: .*number/],
    [{ rope_scaling: { rope_type: 'yarn', factor: 4, truncate: null } }, /rope_scaling\.truncate: .*boolean/],
    [{ rope_scaling: 'yarn' }, /rope_scaling: /],
    [{ tie_word_embeddings: 'yes' }, /tie_word_embeddings: /],
    [{ model_type: undefined }, /model_type: /],
  ])('wrong %j', (changes, message) => {
    expect(() => parse(changes)).toThrow(
      expect.objectContaining({ code: 'bad-model', message: expect.stringMatching(message) }),
    );
  });

  test('the file is named', () => {
    expect(() => parse({ model_type: 'mistral' })).toThrow(/^model\/config\.json: /);
    expect(() => parseConfig('model/config.json', [])).toThrow(/^model\/config\.json: /);
  });
});
