/** Steps made again, against the log: equal bits, or within a tolerance. */
import type { UpdateRecord } from '../../../activities/artifacts/index.js';
import { compareRedone, isSamePolicy } from '../../../activities/policies/redone.js';
import { codeVersion, type Numerics, OutOfToleranceError } from '../../../activities/provenance/index.js';

const METRICS = {
  ...{ loss: 0.02, gradNorm: 3, entropy: 1.2, tokens: 40, optimizerStep: 4, clipFraction: 0.01, kl: 1e-5 },
  ...{ logprobDifferenceMax: 1e-6, logprobDifferenceMean: 1e-7, reward: 0.5, effectiveGroups: 2 },
};
const SERVICE: Numerics = { provider: 'tinker', processor: 'a service', sha256: 'none', tolerance: 1e-4 };
const OWN: Numerics = { provider: 'cpu', processor: 'a processor', sha256: '1'.repeat(64) };

const record = (numerics: Numerics, metrics = [METRICS]) =>
  ({ metrics, result: { name: 'p', uri: 'store:x', sha256: 'a' }, code: codeVersion(numerics) }) as UpdateRecord;
const redone = (changes: Partial<typeof METRICS>, sha256 = 'a') => ({ sha256, metrics: [{ ...METRICS, ...changes }] });

describe('within a tolerance', () => {
  const compared = (changes: Partial<typeof METRICS>, numerics = SERVICE) =>
    compareRedone(record(SERVICE), redone(changes), numerics);

  test('nothing differs', () => expect(compared({})).toEqual({ difference: null, kept: true, tolerance: 1e-4 }));

  test.each([
    ['a norm by its ratio', { gradNorm: 3 * (1 + 0.9e-4) }, 'gradNorm', true],
    ['a norm that is too far', { gradNorm: 3 * (1 + 2e-4) }, 'gradNorm', false],
    ['a loss near 0 by its distance', { loss: 0.02 + 0.9e-4 }, 'loss', true],
    ['a loss that is too far', { loss: 0.02 + 2e-4 }, 'loss', false],
    ['the largest difference of all', { gradNorm: 3 * (1 + 5e-5), entropy: 1.2 + 9e-5 }, 'entropy', true],
    ['a step that was taken twice', { optimizerStep: 5 }, 'optimizerStep', false],
    ['tokens that are missing', { tokens: 39 }, 'tokens', false],
    ['a norm that is no number', { gradNorm: Number.NaN }, 'gradNorm', false],
  ])('tells %s', (_what, changes, field, kept) => {
    expect(compared(changes)).toMatchObject({ difference: { field: `metrics[0].${field}` }, kept });
  });

  test('tokens at a clipping threshold are not held', () => {
    expect(compared({ clipFraction: 0.04 })).toMatchObject({ difference: null, kept: true });
  });

  test('fewer updates than were logged', () => {
    const twice = record(SERVICE, [METRICS, METRICS]);
    expect(compareRedone(twice, redone({}), SERVICE)).toMatchObject({
      difference: { field: 'metrics.length' },
      kept: false,
    });
  });

  test('of two that were measured the looser holds, and that of the log where the other is not known', () => {
    const changes = { gradNorm: 3 * (1 + 5e-4) };
    expect(compared(changes, { ...SERVICE, tolerance: 1e-3 })).toMatchObject({ kept: true, tolerance: 1e-3 });
    expect(compareRedone(record(SERVICE), redone(changes), undefined)).toMatchObject({ kept: false, tolerance: 1e-4 });
  });

  test('a policy is had back where it is kept, and refused with the difference where not', () => {
    expect(isSamePolicy(record(SERVICE), redone({ loss: 0.02001 }), SERVICE)).toBe(true);
    const far = () => isSamePolicy(record(SERVICE), redone({ gradNorm: 3.3 }), SERVICE);
    expect(far).toThrow(OutOfToleranceError);
    expect(far).toThrow(
      /metrics\[0\]\.gradNorm: logged 3, redone 3\.3 \(9\.1e-2 apart\), where at most 0\.0001 was promised/,
    );
  });
});

describe('in equal bits', () => {
  test('the last digit of a number is a difference', () => {
    const last = compareRedone(record(OWN), redone({ loss: 0.02 + Number.EPSILON / 32 }), OWN);
    expect(last).toMatchObject({ difference: { field: 'metrics[0].loss' }, kept: false, tolerance: null });
  });

  test('so are the weights, which alone decide whether a policy is the one that was logged', () => {
    expect(compareRedone(record(OWN), redone({}, 'b'), OWN)).toMatchObject({
      difference: { field: 'sha256' },
      kept: false,
    });
    expect(isSamePolicy(record(OWN), redone({}, 'b'), OWN)).toBe(false);
    expect(isSamePolicy(record(OWN), redone({ entropy: 1 }), OWN)).toBe(true);
  });
});
