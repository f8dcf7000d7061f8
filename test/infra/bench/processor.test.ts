import { hasFeature } from '../../../infra/bench/processor';

const cpuinfo = (line: string) => `processor\t: 0\nmodel name\t: a bf16 processor\n${line}\n\nprocessor\t: 1\n`;

test.each([
  ['flags\t\t: fpu avx2 avx512f avx512_bf16 fma', true],
  ['flags\t\t: fpu amx_bf16', true],
  ['Features\t: fp asimd bf16 sve', true],
  ['flags\t\t: fpu avx2 avx512f', false],
  ['flags\t\t: fpu avx512_bf16x', false],
])('bfloat16 by %j: %s', (line, has) => {
  expect(hasFeature('bfloat16', cpuinfo(line))).toBe(has);
});

test('where the system does not tell, it has nothing', () => {
  expect(hasFeature('bfloat16', '')).toBe(false);
});
