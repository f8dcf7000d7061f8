/** Expressions as Python's re.fullmatch reads them; the expected hits are Python's. */
import { fullMatches } from '../../../../activities/engine/folders/python-pattern';

const NAMES = ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.up_proj', 'model.layers.11.mlp.up_proj'];
const hits = (expression: string) => [...fullMatches(expression, NAMES)].map(name => NAMES.indexOf(name));

test.each<[string, number[]]>([
  ['q_proj', []],
  ['.*q_proj', [0]],
  ['.*\\.(q|up)_proj$', [0, 1, 2]],
  ['model.layers.1.mlp.up_proj', [1]],
  ['.*layers\\.\\d{2}\\..*', [2]],
  ['.*(?P<digit>1)(?P=digit).*', [2]],
  ['\\Amodel.*q_proj\\Z', [0]],
  ['(?i).*Q_PROJ', [0]],
  ['model.*(?<!self_attn)\\.[a-z]+_proj', [1, 2]],
  ['(?:.*?(?:text|vision).*?)|(?:\\bmodel\\.layers\\.[\\d]{1,}\\.(?:mlp)\\.(?:(?:up_proj)))', [1, 2]],
])('%s', (expression, expected) => {
  expect(hits(expression)).toEqual(expected);
});

test.each(['(q_proj', '.*)|(.*', '(?x) .*', '*'])('%s cannot be read', expression => {
  expect(() => hits(expression)).toThrow(/Invalid regular expression/);
});

test('one that takes too long is stopped', () => {
  const many = Array.from({ length: 200_000 }, (_, i) => `model.layers.${i}.mlp.up_proj`);
  expect(() => fullMatches('.*\\.up_proj', many, 1)).toThrow(/does not come to an end within 0\.001 s/);
});
