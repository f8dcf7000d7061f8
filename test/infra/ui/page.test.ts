/** What the page makes elements with, over a document that only keeps what it is told; and how it smooths. */
const { h, number, plural, problems } = require('../../../infra/ui/page/dom.js') as {
  h(tag: string, attributes: object, ...children: unknown[]): unknown;
  number(value: number | null | undefined): string;
  plural(count: number, word: string): string;
  problems(messages: string[]): unknown[];
};

const { smoothed, timeAt } = require('../../../infra/ui/page/smoothing.js') as {
  smoothed(values: (number | null)[], places: number[], begins: number[]): (number | null)[];
  timeAt(times: { place: number; time: number }[], place: number): number | null;
};

const { csvText } = require('../../../infra/ui/page/pictures.js') as {
  csvText(curve: { x: number[]; series: { label: string; values: (number | null)[] }[] }): string;
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

test('smoothing begins unbiased, keeps gaps, begins anew with each stage, and minds what is left out', () => {
  const [a, b, gap, c, d] = smoothed([1, 2, null, 3, 8], [1, 2, 3, 4, 5], [1, 5]);
  expect(a).toBeCloseTo(1, 12);
  expect(b).toBeCloseTo((0.8 * 0.2 * 1 + 0.2 * 2) / (0.8 * 0.2 + 0.2), 12);
  expect(gap).toBeNull();
  // Two steps on: the past counts for 0.8 squared.
  const [sum, weight] = [0.8 * 0.2 * 1 + 0.2 * 2, 0.8 * 0.2 + 0.2];
  expect(c).toBeCloseTo((0.64 * sum + 0.36 * 3) / (0.64 * weight + 0.36), 12);
  expect(d).toBeCloseTo(8, 12);
});

test('a stage that begins between two points begins anew all the same', () => {
  expect(smoothed([1, 5], [1, 10], [1, 7])).toEqual([1, expect.closeTo(5, 12)]);
});

test('times between those that are known lie evenly, and none is made up beyond', () => {
  const times = [
    { place: 2, time: 100 },
    { place: 4, time: 300 },
  ];
  expect([1, 2, 3, 4, 9].map(place => timeAt(times, place))).toEqual([100, 100, 200, 300, 300]);
  expect(timeAt([], 1)).toBeNull();
});

test('a table to take away, with what a spreadsheet would trip over quoted', () => {
  const series = [
    { label: 'a, "b"', values: [1, null] },
    { label: 'c', values: [0.5, 2] },
  ];
  expect(csvText({ x: [3, 4], series })).toBe('step,"a, ""b""",c\n3,1,0.5\n4,,2\n');
});

test('one step, two steps', () => {
  expect([plural(1, 'step'), plural(2, 'step')]).toEqual(['1 step', '2 steps']);
});

export {};
