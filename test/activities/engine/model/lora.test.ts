/** Which layers an adapter has, how it begins, and merging it, by plain arithmetic. */
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { type DecoderConfig, expectedTensors, parseConfig } from '../../../../activities/engine/model/config';
import {
  type Adapter,
  adapterShapes,
  initialAdapter,
  loraA,
  loraB,
  loraScale,
  targetedModules,
} from '../../../../activities/engine/model/lora';
import { LoraMerge } from '../../../../activities/engine/model/lora-merge';
import type { LoraSettings } from '../../../../activities/engine/protocol/index';
import { randomStream } from '../../../../activities/engine/random';

const config: DecoderConfig = parseConfig('config.json', {
  model_type: 'llama',
  vocab_size: 50,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
});
const SETTINGS: LoraSettings = { rank: 4, alpha: 8, targetModules: 'all-linear', rslora: false };
const fresh = (settings: LoraSettings, seed = 7) => initialAdapter(config, { settings, seed, baseModel: null });
const PARTS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

describe('targets', () => {
  test('all-linear is every linear layer but the head, in the order of the model', () => {
    const modules = targetedModules(config, 'all-linear');
    expect(modules.map(m => m.slice(m.lastIndexOf('.') + 1))).toEqual([...PARTS, ...PARTS]);
    expect(modules[0]).toBe('model.layers.0.self_attn.q_proj');
  });

  test('a name stands for every layer it is the end of', () => {
    expect(
      targetedModules(config, ['up_proj', 'layers.1.self_attn.q_proj', 'model.layers.0.self_attn.o_proj']),
    ).toEqual([
      'model.layers.0.self_attn.o_proj',
      'model.layers.0.mlp.up_proj',
      'model.layers.1.self_attn.q_proj',
      'model.layers.1.mlp.up_proj',
    ]);
  });

  test.each<[string, string, RegExp]>([
    [
      'proj',
      'bad-request',
      /'proj' names no linear layer of the model; expected names that end in one of q_proj, k_proj/,
    ],
    ['input_layernorm', 'bad-request', /'input_layernorm' names no linear layer/],
    ['lm_head', 'unsupported', /'lm_head' is not supported; supported: q_proj/],
    ['embed_tokens', 'unsupported', /'embed_tokens' is not supported/],
  ])('%s is refused', (target, code, message) => {
    expect(() => targetedModules(config, ['q_proj', target])).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('a fresh adapter', () => {
  const adapter = fresh(SETTINGS);

  test('has the tensors that belong to it', () => {
    const shapes = [...adapter.tensors].map(([name, { shape, data }]) => {
      expect(data.length).toBe(shape[0]! * shape[1]!);
      return [name, shape] as const;
    });
    expect(shapes).toEqual([...adapterShapes(config, adapter.modules, () => 4)]);
    expect(adapter.tensors.get('base_model.model.model.layers.1.mlp.down_proj.lora_A.weight')!.shape).toEqual([4, 96]);
    expect(adapter.tensors.get('base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight')!.shape).toEqual([
      32, 4,
    ]);
  });

  test('A is uniform over ±1/sqrt(in), B is zero', () => {
    for (const module of adapter.modules) {
      const a = adapter.tensors.get(loraA(module))!;
      const bound = 1 / Math.sqrt(a.shape[1]!);
      const scaled = [...a.data].map(x => x / bound);
      const mean = (of: number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
      expect(Math.max(...scaled.map(Math.abs))).toBeLessThanOrEqual(1);
      expect(Math.abs(mean(scaled))).toBeLessThan(0.15);
      // The variance of a uniform number over ±1.
      expect(Math.abs(mean(scaled.map(x => x * x)) - 1 / 3)).toBeLessThan(0.08);
      expect(adapter.tensors.get(loraB(module))!.data.every(x => x === 0)).toBe(true);
    }
  });

  test('is a function of the seed, each tensor apart from the others', () => {
    const q = loraA('model.layers.0.self_attn.q_proj');
    const of = (seed: number, settings: LoraSettings) => fresh(settings, seed).tensors.get(q)!.data;
    expect(of(7, { ...SETTINGS, targetModules: ['q_proj'] })).toEqual(adapter.tensors.get(q)!.data);
    expect(of(8, SETTINGS)).not.toEqual(adapter.tensors.get(q)!.data);
    const other = adapter.tensors.get(loraA('model.layers.0.self_attn.k_proj'))!.data;
    expect(other).not.toEqual(adapter.tensors.get(q)!.data);
  });

  test.each<[Partial<LoraSettings>, RegExp]>([
    [{ rank: 0 }, /LoRA rank is 0; expected a whole number, 1 or more/],
    [{ rank: 1.5 }, /LoRA rank is 1\.5/],
    [{ alpha: 0 }, /LoRA alpha is 0; expected a number above 0/],
    [{ targetModules: [] }, /LoRA has no target modules/],
  ])('%j is refused', (changes, message) => {
    expect(() => fresh({ ...SETTINGS, ...changes })).toThrow(message);
  });
});

test('the scale is alpha / rank, rank-stabilised alpha / sqrt(rank)', () => {
  const scale = (settings: LoraSettings) =>
    ['a', 'b'].map(module => loraScale({ settings, exceptions: new Map([['b', { rank: 4, alpha: 12 }]]) }, module));
  expect(scale({ ...SETTINGS, rank: 16, alpha: 32 })).toEqual([2, 3]);
  expect(scale({ ...SETTINGS, rank: 16, alpha: 32, rslora: true })).toEqual([8, 6]);
});

describe('merging', () => {
  const filled = (shapes: ReadonlyMap<string, number[]>, seed: string): Tensors =>
    new Map(
      [...shapes].map(([name, shape]) => {
        const random = randomStream(seed, name);
        const length = shape.reduce((product, n) => product * n, 1);
        return [name, { shape, data: Float32Array.from({ length }, () => random.uniform() - 0.5) }];
      }),
    );
  const base = filled(expectedTensors(config), 'base');
  const modules = targetedModules(config, ['k_proj', 'down_proj']);
  const adapter: Adapter = {
    settings: { ...SETTINGS, rslora: true, targetModules: ['k_proj', 'down_proj'] },
    modules,
    tensors: filled(
      adapterShapes(config, modules, () => 4),
      'adapter',
    ),
    exceptions: new Map(),
    baseModel: null,
    dropout: 0,
  };
  const merge = async (threads: number, what: Adapter) => {
    const merger = await LoraMerge.create({ threads });
    const merged = await merger.merge(base, what);
    await merger.release();
    return merged;
  };

  test('gives W + s B A where there is an adapter and leaves all else alone', async () => {
    const merged = await merge(2, adapter);
    expect([...merged.keys()]).toEqual([...base.keys()]);
    for (const [name, { data, shape }] of base) {
      const module = name.replace(/\.weight$/, '');
      if (!modules.includes(module)) {
        expect(merged.get(name)).toBe(base.get(name));
        continue;
      }
      const [a, b] = [adapter.tensors.get(loraA(module))!.data, adapter.tensors.get(loraB(module))!.data];
      const [out, into] = shape as [number, number];
      for (let row = 0; row < out; row++)
        for (let column = 0; column < into; column++) {
          let product = 0;
          for (let r = 0; r < 4; r++) product += b[row * 4 + r]! * a[r * into + column]!;
          const want = data[row * into + column]! + (8 / Math.sqrt(4)) * product;
          const got = merged.get(name)!.data[row * into + column]!;
          if (!(Math.abs(got - want) < 1e-5)) throw new Error(`${name}[${row}, ${column}] is ${got}, expected ${want}`);
        }
    }
  });

  test('gives equal bits whatever the number of threads, and the base itself while B is zero', async () => {
    const [one, two] = [await merge(1, adapter), await merge(2, adapter)];
    const unchanged = await merge(2, fresh(SETTINGS));
    for (const [name, { data }] of base) {
      expect(one.get(name)!.data).toEqual(two.get(name)!.data);
      expect(unchanged.get(name)!.data).toEqual(data);
    }
  });
});
