import { containsAnswer, normalizedText, textHash, wordCount } from '../../../activities/datasets/normalized-text.js';

test('case, punctuation, width and white space make no difference', () => {
  expect(normalizedText('  The\u00A0Well-Known “U.S.”\n\tfilm… ')).toBe('the well known us film');
  expect(textHash('Ｆｕｌｌ  width!')).toBe(textHash('full WIDTH'));
  expect(textHash('full width')).not.toBe(textHash('fullwidth'));
});

test('words are counted, in scripts without blanks by character', () => {
  expect(wordCount('It’s 3 words')).toBe(4);
  expect(wordCount('北京是首都')).toBe(5);
  expect(wordCount(' — ')).toBe(0);
});

describe('containsAnswer', () => {
  test.each([
    [['Paris'], 'They met in PARIS.', true],
    [['Paris'], 'A Parisian café.', true],
    [['The Beatles'], 'beatles records', true],
    [['no'], 'Nobody knows.', false],
    [['no'], 'The answer was: No!', true],
    [['5'], 'in 1957', false],
    [['5'], 'It has 5 rooms', true],
    [['北京'], '他住在北京市', true],
    [['1987', 'nineteen eighty-seven'], 'Nineteen eighty seven it was', true],
    [['?!'], 'anything', false],
    [['a'], 'a word', true],
  ])('%j in %j: %s', (answers, text, expected) => {
    expect(containsAnswer(answers)(text)).toBe(expected);
  });
});
