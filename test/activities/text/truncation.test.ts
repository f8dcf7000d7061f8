import { fitPrompt, type TextTokens, truncateMiddle } from '../../../activities/text/truncation.js';

/** A token a UTF-8 byte: cuts fall within characters. */
const bytes: TextTokens = {
  documentIds: text => [...Buffer.from(text)],
  documentText: ids => Buffer.from(ids).toString('utf8'),
};
/** A token a word with the blank before it; decoding loses case and squeezes blanks, so it does not give the text back. */
const lossyWords: TextTokens = {
  documentIds: text => (text.match(/\s*\S+/g) ?? []).map(word => word.length),
  documentText: ids => ids.map(() => 'word').join(' '),
};

test('beginning and end stay in equal shares, the odd token at the beginning', () => {
  expect(truncateMiddle('abcdefghij', 6, bytes)).toBe('abchij');
  expect(truncateMiddle('abcdefghij', 5, bytes)).toBe('abcij');
  expect(truncateMiddle('abcdefghij', 1, bytes)).toBe('a');
  expect(truncateMiddle('abcdefghij', 0, bytes)).toBe('');
  expect(truncateMiddle('abcdefghij', 10, bytes)).toBe('abcdefghij');
});

test('no character is broken, whatever the place of the cut', () => {
  const text = 'aé漢😀\u{1F469}\u200D\u{1F52C}ß語x';
  const total = Buffer.from(text).length;
  for (let keep = 0; keep <= total; keep++) {
    const cut = truncateMiddle(text, keep, bytes);
    expect(cut).not.toContain('\uFFFD');
    expect(cut).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/);
    expect(Buffer.from(cut).length).toBeLessThanOrEqual(keep);
    // Less than one character is lost on either side.
    expect(Buffer.from(cut).length).toBeGreaterThan(keep - 7);
  }
});

test('replacement characters that the text itself has are kept', () => {
  expect(truncateMiddle('\uFFFDa-----b\uFFFD', 8, bytes)).toBe('\uFFFDab\uFFFD');
});

test('a tokenizer whose decoding is not the text again cuts at the same shares', () => {
  const text = Array.from({ length: 1000 }, (_, i) => `Word${i}`).join(' ');
  const all = text.split(' ');
  for (const keep of [0, 1, 2, 7, 500, 999]) {
    const cut = truncateMiddle(text, keep, lossyWords);
    const [head, tail] = [Math.ceil(keep / 2), Math.floor(keep / 2)];
    const kept = cut.split(/ +/).filter(word => word !== '');
    expect(kept).toEqual([...all.slice(0, head), ...all.slice(1000 - tail)]);
  }
});

describe('fitPrompt', () => {
  const prompt = (document: string) => bytes.documentIds(`<${document}>?`);

  test('leaves alone what fits, to the token', () => {
    expect(fitPrompt('abcdef', 9, prompt, bytes)).toEqual({
      promptIds: prompt('abcdef'),
      document: 'abcdef',
      cut: false,
    });
  });

  test('cuts to the very limit, and never the question', () => {
    const text = 'x'.repeat(100);
    for (let limit = 3; limit < 103; limit++) {
      const fitted = fitPrompt(text, limit, prompt, bytes)!;
      expect(fitted.promptIds).toHaveLength(limit);
      expect(fitted.promptIds).toEqual(prompt(fitted.document));
      expect(fitted.cut).toBe(true);
    }
    expect(fitPrompt(text, 2, prompt, bytes)).toBeNull();
  });

  test('goes as near as a token boundary allows where tokens do not add up', () => {
    // Pairs of bytes are one token, so a seam can save a token or cost one; the template holds the document twice.
    const pairs = (text: string) => Array.from({ length: Math.ceil(text.length / 2) }, (_, i) => i);
    const twice = (document: string) => [...pairs(document), ...pairs(document), 0];
    const tokens: TextTokens = { documentIds: text => [...Buffer.from(text)], documentText: bytes.documentText };
    const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(20);
    for (const limit of [1, 2, 3, 50, 101, 333, 520]) {
      const fitted = fitPrompt(text, limit, twice, tokens)!;
      expect(fitted.promptIds.length).toBeLessThanOrEqual(limit);
      const keep = fitted.document.length;
      expect(twice(truncateMiddle(text, keep + 1, tokens)).length).toBeGreaterThan(limit);
    }
  });
});
