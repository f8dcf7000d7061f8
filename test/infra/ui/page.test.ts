/** What the page makes elements with, over a document that only keeps what it is told; and how it smooths. */
const { h, number, plural, problems } = require('../../../infra/ui/page/dom.js') as {
  h(tag: string, attributes: object, ...children: unknown[]): unknown;
  number(value: number | null | undefined): string;
  plural(count: number, word: string): string;
  problems(messages: string[]): unknown[];
};

const { smoothed } = require('../../../infra/ui/page/chart.js') as {
  smoothed(values: (number | null)[], begins: number[]): (number | null)[];
};

const HTML = '<img src=x onerror=alert(1)><script>alert(1)</script>';

class FakeNode {
  attributes: Record<string, string> = {};
  children: unknown[] = [];
  classList = { add: () => {} };
  constructor(readonly text: string | null) {}
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
  append(...children: unknown[]): void {
    // A real element would make text of anything else; a string would be one thing that is not told from markup here.
    if (!children.every(child => child instanceof FakeNode)) throw new TypeError('expected nodes alone');
    this.children.push(...children);
  }
}

beforeAll(() => {
  const document = {
    createElement: () => new FakeNode(null),
    createTextNode: (text: string) => new FakeNode(text),
  };
  Object.assign(globalThis, { document, Node: FakeNode });
});
afterAll(() => {
  for (const name of ['document', 'Node']) Reflect.deleteProperty(globalThis, name);
});

const textsIn = (node: FakeNode): string[] =>
  node.text === null ? (node.children as FakeNode[]).flatMap(textsIn) : [node.text];

test('what a model or a document says stays text, wherever it stands', () => {
  const element = h('p', { title: HTML }, HTML, [HTML, [h('b', {}, HTML)]]) as FakeNode;
  expect(textsIn(element)).toEqual([HTML, HTML, HTML]);
  expect(element.attributes).toEqual({ title: HTML });
  expect(textsIn((problems([HTML]) as FakeNode[])[0]!)).toEqual([HTML]);
});

test('what is not there leaves nothing, and zero is a number', () => {
  const element = h('p', { hidden: true, lang: null, 'aria-pressed': false }, null, undefined, false, 0) as FakeNode;
  expect(textsIn(element)).toEqual(['0']);
  expect(element.attributes).toEqual({ hidden: '', 'aria-pressed': 'false' });
});

test.each([
  [null, '–'],
  [undefined, '–'],
  [0, '0'],
  [12345, '12,345'],
  [0.123456, '0.1235'],
  [-0.04385123, '-0.04385'],
  [5.54e-13, '5.54e-13'],
  [1234567.5, '1.23e+6'],
])('%p is shown as %s', (value, text) => expect(number(value)).toBe(text));

test('smoothing begins unbiased, keeps gaps, and begins anew with each stage', () => {
  const [a, b, gap, c, d] = smoothed([1, 2, null, 3, 8], [1, 5]);
  expect(a).toBeCloseTo(1, 12);
  expect(b).toBeCloseTo((0.8 * 1 + 2) / 1.8, 12);
  expect(gap).toBeNull();
  expect(c).toBeCloseTo((0.64 * 1 + 0.8 * 2 + 3) / 2.44, 12);
  expect(d).toBeCloseTo(8, 12);
});

test('one step, two steps', () => {
  expect([plural(1, 'step'), plural(2, 'step')]).toEqual(['1 step', '2 steps']);
});

export {};
