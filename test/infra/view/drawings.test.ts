import { bar, sparkline } from '../../../infra/view/drawings';
import { PLAIN, styleFor } from '../../../infra/view/style';
import { cut, harmless, pad, widthOf } from '../../../infra/view/text-width';

test.each([
  [[], ''],
  [[3], '▁'],
  [[2, 2, 2], '▁▁▁'],
  [[0, 7], '▁█'],
  [[0, 1, 2, 3, 4, 5, 6, 7], '▁▂▃▄▅▆▇█'],
  [[7, -7], '█▁'],
  [[1, Number.NaN, 2], '▁█'],
  [Array.from({ length: 100 }, (_, k) => k), '▁▂▃▄▅▆▇█'],
])('the curve of %j', (values, drawn) => expect(sparkline(values, 8)).toBe(drawn));

test.each([
  [0, '░░░░'],
  [1, '████'],
  [0.5, '██░░'],
  [1 / 32, '▏░░░'],
  [0.9, '███▋'],
  [2, '████'],
  [-1, '░░░░'],
])('%d done', (share, drawn) => expect(bar(share, 4)).toBe(drawn));

test.each([
  ['ascii', 4, 'asc…'],
  ['ascii', 5, 'ascii'],
  ['长文本', 6, '长文本'],
  ['长文本', 5, '长文…'],
  ['长文本', 4, '长…'],
  ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
  ['👩‍👩‍👧 family', 3, '👩‍👩‍👧…'],
  ['\x1b[32mgreen\x1b[0m', 3, '\x1b[32mgr…\x1b[0m'],
  ['\x1b[32mgreen\x1b[0m', 5, '\x1b[32mgreen\x1b[0m'],
])('%j in %d columns', (text, columns, shown) => {
  expect(cut(text, columns)).toBe(shown);
  expect(widthOf(shown)).toBeLessThanOrEqual(columns);
});

test('wide characters are padded by the columns they take', () => {
  expect(pad('长', 4)).toBe('长  ');
  expect(pad('长', 4, 'right')).toBe('  长');
  expect(pad('much too long', 4)).toBe('much too long');
});

test('no text is a command to the terminal', () => {
  expect(harmless('a\x1b[2Jb\r\nc\td\x07')).toBe('a\ufffd[2Jb\ufffd\nc\td\ufffd');
});

test('colours are for terminals, and not where they are unwanted', () => {
  expect(styleFor({ isTTY: true }, {}).bad('x')).toBe('\x1b[31mx\x1b[0m');
  for (const style of [styleFor({ isTTY: true }, { NO_COLOR: '1' }), styleFor({}, {})]) expect(style).toBe(PLAIN);
});
