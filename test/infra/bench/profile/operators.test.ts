/** What operators took, from traces as onnxruntime writes them. */
import { profileOf, type TraceEvent } from '../../../../infra/bench/profile/operators';
import { profileRemark, profileTable } from '../../../../infra/bench/profile/report';

const kernel = (op_name: string, dur: number, inputs: number[][], output: number[]): TraceEvent => ({
  cat: 'Node',
  name: `${op_name}_7_kernel_time`,
  dur,
  args: {
    op_name,
    input_type_shape: inputs.map(float => ({ float })),
    output_type_shape: [{ float: output }],
  },
});

/** Two sessions: a loop with a product and a sum in it, and a product of another shape. */
const TRACES: TraceEvent[][] = [
  [
    { cat: 'Session', name: 'session_initialization', dur: 9_000 },
    { cat: 'Node', name: 'Gemm_7_fence_before', dur: 5, args: { op_name: 'Gemm' } },
    kernel(
      'Gemm',
      400,
      [
        [8, 16],
        [16, 4],
      ],
      [8, 4],
    ),
    kernel('Add', 100, [[8, 4], []], [8, 4]),
    kernel('Loop', 600, [[]], [8, 4]),
    { cat: 'Session', name: 'model_run', dur: 1_000 },
  ],
  [
    kernel(
      'Gemm',
      200,
      [
        [16, 8],
        [16, 4],
      ],
      [8, 4],
    ),
    { cat: 'Session', name: 'model_run', dur: 500 },
  ],
];

test('adds up operators, leaves out what contains others, and counts what products compute', () => {
  const { operators, seconds } = profileOf(TRACES, false);
  // 8 x 4 results of 16 products and as many sums each, twice: the second product has its left side transposed.
  expect(operators).toEqual([
    { operator: 'Gemm', shapes: null, calls: 2, seconds: expect.closeTo(600e-6, 9), flops: 2 * (2 * 8 * 4 * 16) },
    { operator: 'Add', shapes: null, calls: 1, seconds: expect.closeTo(100e-6, 9), flops: 0 },
  ]);
  expect(seconds).toBeCloseTo(1500e-6, 9);
});

test('tells operators on other shapes apart where it is asked to', () => {
  expect(profileOf(TRACES, true).operators.map(({ operator, shapes }) => `${operator} ${shapes}`)).toEqual([
    'Gemm 8x16, 16x4',
    'Gemm 16x8, 16x4',
    'Add 8x4, scalar',
  ]);
});

test('shows a turn: the dearest operators, the others together, and what is not theirs', () => {
  const profile = profileOf(TRACES, true);
  expect(profileTable(profile, 1, 1).lines).toEqual([
    ['Gemm 8x16, 16x4', '1', '0.4', '57.1 %', '0'],
    ['2 others', '2', '0.3', '42.9 %', ''],
  ]);
  expect(profileRemark({ ...profile, wall: 0.004 }, 2)).toBe(
    'A turn took 2 ms: matrix products 0 ms, at 0 GFLOP/s; other operators 0 ms; between operators 0 ms; outside of onnxruntime 1 ms.',
  );
});
