/** How an engine is told to use its machine, and that a provider which is not there is refused with what it needs. */
import { availableParallelism, totalmem } from 'node:os';
import { expectProvider, PROVIDERS } from '../../../../activities/engine/graph/providers';
import { engineSettings, settingsEnvironment } from '../../../../activities/engine/process/settings';
import { EngineRequestError } from '../../../../activities/engine/protocol/index';

describe('settings', () => {
  test('are the machine’s unless told, and survive the way through the environment', () => {
    const standard = engineSettings({});
    expect(standard).toMatchObject({ threads: availableParallelism(), provider: 'cpu' });
    expect(standard.memory).toBeGreaterThan(2 ** 20);
    expect(standard.memory).toBeLessThanOrEqual(totalmem() / 3);
    const told = { threads: 3, memory: 6 * 2 ** 30, provider: 'webgpu', silence: 90 } as const;
    expect(engineSettings(settingsEnvironment(told))).toEqual(told);
    expect(engineSettings(settingsEnvironment({ memory: 1e9 }))).toEqual({ ...standard, memory: 1e9 });
  });

  test.each([
    ['6GiB', 6 * 2 ** 30],
    ['1.5GB', 1.5e9],
    ['500 MB', 5e8],
    ['64MiB', 2 ** 26],
    ['123456', 123456],
  ])('%s of memory are %d bytes', (text, bytes) => {
    expect(engineSettings({ LONGHAUL_ENGINE_MEMORY: text }).memory).toBe(bytes);
  });

  test.each([
    ['LONGHAUL_ENGINE_THREADS', '0', 'a whole number from 1'],
    ['LONGHAUL_ENGINE_THREADS', 'two', 'a whole number from 1'],
    ['LONGHAUL_ENGINE_MEMORY', '6 gigs', 'a size such as 6GiB'],
    ['LONGHAUL_ENGINE_MEMORY', '0', 'a size such as 6GiB'],
    ['LONGHAUL_ENGINE_PROVIDER', 'rocm', 'cpu, cuda, webgpu'],
  ])('%s=%s is refused', (variable, text, expected) => {
    const read = () => engineSettings({ [variable]: text });
    expect(read).toThrow(EngineRequestError);
    expect(read).toThrow(`${variable} is "${text}"; expected ${expected}`);
  });
});

test('every provider either works here or is refused with what it needs', async () => {
  await expectProvider('cpu');
  // onnxruntime writes its own complaint to standard error.
  for (const provider of ['cuda', 'webgpu'] as const) {
    const refusal = await expectProvider(provider).catch((error: unknown) => error);
    if (refusal === undefined) continue;
    expect(refusal).toBeInstanceOf(EngineRequestError);
    expect((refusal as EngineRequestError).code).toBe('unsupported');
    expect((refusal as Error).message).toContain(`"${provider}" cannot be used here`);
    expect((refusal as Error).message).toContain(PROVIDERS[provider].needs);
  }
});
