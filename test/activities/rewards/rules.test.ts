import { normalise } from '../../../activities/rewards/normal-text.js';
import { scoreRule } from '../../../activities/rewards/rules.js';

const say = (answer: string) => `I looked it up. Therefore, the answer is ${answer}`;

describe('right answers', () => {
  test.each([
    ['Paris', 'Paris.'],
    ['Paris', '**Paris**.'],
    ['Paris', '"Paris."'],
    ['Paris', 'the Paris'],
    ['Paris', '\nPARIS \n'],
    ['the answer is Paris', 'Paris.'],
    ['Therefore, the answer is Paris.', 'Paris'],
    ['The Beatles', 'Beatles.'],
    ['Jean-Luc Picard', 'Jean Luc Picard.'],
    ['1,987', '1987.'],
    ['1987', '１９８７'],
    ['U.S.', 'US'],
    ['yes', 'Yes.'],
    ['A', 'A.'],
    ['-5', '-5.'],
    ['$5 million', '5 million'],
    ["O'Neill", 'O’Neill'],
  ])('gold %j, answer %j', (gold, answer) => {
    expect(scoreRule('hardened', 'docqa', say(answer), [gold])).toMatchObject({ score: 1 });
  });

  test('any alias will do, and the reason says which', () => {
    const verdict = scoreRule('hardened', 'docqa', say('NYC.'), ['New York City', 'NYC']);
    expect(verdict).toEqual({ score: 1, extracted: 'NYC', reason: 'equals the gold answer "NYC"' });
  });
});

describe('answers that a substring or an empty comparison would let pass', () => {
  test.each([
    ['Paris', 'the.'],
    ['Paris', '"'],
    ['Paris', '.'],
    ['Paris', ''],
    ['Paris', 'not Paris'],
    ['Paris', 'London or Paris or Rome'],
    ['Paris', 'Par'],
    ['1987', '1.'],
    ['1987', '1987 or 1988'],
    ['5', '-5'],
    ['101', '10.1'],
    ['10.1', '101'],
    ['15', '1.5'],
    ['.5', '5'],
    ['A', 'the'],
    ['The', 'a'],
    ['!!!', '???'],
    ['!!!', '.'],
    ['no', 'not known'],
  ])('gold %j, answer %j', (gold, answer) => {
    expect(scoreRule('hardened', 'docqa', say(answer), [gold])).toMatchObject({ score: 0 });
  });
});

describe('extraction', () => {
  test.each([
    ['the answer is Rome. No: the answer is Oslo.', 'Oslo'],
    ['The Answer Is Oslo', 'Oslo'],
    ['<think>the answer is Rome</think> So the answer is Oslo.', 'Oslo'],
    ['<think>the answer is Rome</think> Oslo.', null],
    ['<think>the answer is Rome', null],
    ['reasoning </think>\nthe answer is "Oslo".', 'Oslo'],
    ['Oslo', null],
    ['', null],
    ['Therefore, the answer is', null],
    ['the answer is St. Ives.', 'St. Ives'],
  ])('%j gives %j', (response, extracted) => {
    expect(scoreRule('hardened', 'docqa', response, []).extracted).toBe(extracted);
  });

  test('nothing extracted is 0, whatever the gold', () => {
    expect(scoreRule('hardened', 'docqa', 'Paris', ['Paris']).score).toBe(0);
    expect(scoreRule('hardened', 'docqa', '', ['', 'the']).score).toBe(0);
  });
});

test('normal forms', () => {
  expect(normalise('  The  Quick,\tbrown—fox! ')).toBe('quick brown fox');
  expect(normalise('The')).toBe('the');
  expect(normalise('½ ﬁsh')).toBe('1⁄2 fish');
});
