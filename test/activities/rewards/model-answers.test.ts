/** Answers as models write them: what public threads report as scored wrongly elsewhere, and what else is of the same kind. */
import type { Task } from '../../../activities/datasets/sample.js';
import { type ResponseContext, scoreRule } from '../../../activities/rewards/rules.js';

/** [gold, right responses, wrong responses] */
type Row = [gold: string, right: string[], wrong: string[]];

const TABLES: [name: string, task: Task, rows: Row[]][] = [
  [
    'LaTeX',
    'docmath',
    [
      [
        '0.75',
        [
          'Therefore, the answer is $\\boxed{\\frac{3}{4}}$.',
          'the answer is \\boxed{\\dfrac{3}{4}}',
          'So we get \\[\n\\boxed{\\tfrac34}\n\\]',
          'the answer is $\\frac{3}{4}$.',
          'the answer is \\(\\frac 3 4\\).',
          'the answer is \\frac{3}4',
          'the answer is $$\\frac34$$',
          'the answer is $\\frac{3}{4} = 0.75$.',
          'the answer is $\\frac{3}{4} \\approx 0.75$',
          'the answer is $x = \\boxed{0.75}$',
          'the answer is $\\left(\\frac{3}{4}\\right)$',
          'the answer is \\fbox{0.75}',
          '$$\\boxed{\\mathbf{0.75}}$$',
          'the answer is $\\boxed{\\frac{1.5}{2}}$',
          'the answer is $\\boxed{75\\%}$',
          'the answer is ¾',
          'the answer is three quarters',
          '**Final Answer**\n\n$\\boxed{\\dfrac{3}{4}}$',
          'the answer is $\\frac{-3}{-4}$',
        ],
        [
          'the answer is $\\boxed{\\frac{4}{3}}$',
          'the answer is $\\boxed{\\frac{3}{4}\\pi}$',
          'the answer is $\\boxed{\\frac{3}{4}x}$',
          'the answer is $\\boxed{\\sqrt{\\frac{3}{4}}}$',
          'the answer is $\\boxed{-\\frac{3}{4}}$',
          'the answer is $\\boxed{\\frac{3}{4}$',
          'the answer is $\\frac{3}{4}^2$',
          'the answer is $1\\frac{3}{4}$',
          'the answer is $\\boxed{0.\\overline{75}}$',
          'the answer is not $\\boxed{0.75}$',
          'the answer is $x \\neq 0.75$',
          'the answer is $x \\ge 0.75$',
          'the answer is x != 0.75',
        ],
      ],
      [
        '3.5',
        ['$3\\frac{1}{2}$', '\\boxed{3\\tfrac12}', '3½', '3 1/2', '3 and 1/2', 'three and a half', '3{,}5', '3,5'].map(
          answer => `the answer is ${answer}`,
        ),
        ['3\\frac{2}{1}', '\\frac{31}{2}', '3 5/2', '$3\\cdot\\frac12$', '31/2', '3\\frac{-1}{2}'].map(
          answer => `the answer is ${answer}`,
        ),
      ],
      [
        '1234567.5',
        [
          '1{,}234{,}567.5',
          '1\\,234\\,567.5',
          '1,\\!234,\\!567.5',
          '1.234.567,5',
          '1 234 567,5',
          '1\u202f234\u202f567,5',
          "1'234'567.5",
          '1’234’567,5',
          '12,34,567.5',
          '1.2345675 \\times 10^{6}',
          '1.2345675 × 10⁶',
          '1.2345675e6',
          '1.2345675 \\cdot 10^6',
          '1.2345675*10**6',
          '\\$1,234,567.50',
          'US$ 1,234,567.50',
          '1,234,567.5 dollars',
          '\\text{1,234,567.5 USD}',
          '1.2345675 million',
          '$1.2345675$ million',
          '1.2345675\\text{ million}',
        ].map(answer => `the answer is ${answer}`),
        ['1.234,567.5', '1234,567.5', '1,2,3,4', '1.2345675 \\times 10^{6}7', '1.2345675 × 10^-6'].map(
          answer => `the answer is ${answer}`,
        ),
      ],
      [
        '1234',
        ['1,234', '1 234', "1'234", '1{,}234', 'one thousand two hundred thirty-four'].map(
          answer => `the answer is ${answer}`,
        ),
        ['1.234', '1,23,4', '12,34', '1,2,3,4'].map(answer => `the answer is ${answer}`),
      ],
      [
        '90',
        [
          '$90^\\circ$',
          '90^{\\circ}',
          '90°',
          '\\boxed{90^\\circ}',
          '90 degrees',
          '$90\\,\\text{km}$',
          '90 \\mathrm{km/h}',
        ].map(answer => `the answer is ${answer}`),
        ['90\\pi', '90!', '90^2', '9^0', '90 \\pm 1', '90i', '\\sqrt{90}', '90 or 91', '90 = 91'].map(
          answer => `the answer is ${answer}`,
        ),
      ],
      [
        '-5',
        ['−5', '$-5$', '-\\$5', '\\boxed{-5}', 'minus five', 'negative 5', '–5', '$-\\frac{10}{2}$'].map(
          answer => `the answer is ${answer}`,
        ),
        ['5', '(5)', '--5', '5-', '- -5'].map(answer => `the answer is ${answer}`),
      ],
    ],
  ],
  [
    'an answer followed by more',
    'docmath',
    [
      [
        '42',
        [
          'Final Answer: The final answer is $\\boxed{42}$. I hope it is correct.',
          'the answer is $\\boxed{42}$\n\nI hope it is correct.',
          'the answer is \\boxed{42} I hope it is correct.',
          '**Answer:** 42',
          '**Final Answer:** **42**',
          '### Final Answer\n42',
          'The final answer is: 42\n\nExplanation: 6 × 7 = 42.',
          'the answer is 42 because 6 times 7 is 42.',
          'the answer is 42 (see document 3).',
          'the answer is 42 [3].',
          'the answer is "42".',
          'the answer is [42].',
          'the answer is 42, as stated in document 2.',
          'the answer is forty-two (42).',
          'the answer is 42 (forty-two).',
          'the answer is $6 \\times 7 = 42$.',
          'So \\boxed{41}. No: we have \\boxed{42}.',
          'the answer is 41. I made a mistake.\n\n\\boxed{42}',
          'The answer to the question is 42.',
          '$$\n\\boxed{42}\n$$\nThis follows from document 2.',
          'the answer is `42`.',
          'There are $\\boxed{42}$ distinct possible values.',
        ],
        [
          'the answer is 42 or 43.',
          'the answer is 42. Or 43.',
          'the answer is 42. Maybe it is 43.',
          'the answer is 41\n42\n43',
          'the answer is 41\n\n42',
          'the answer is 42\n\n43',
          'the answer is 42. 43. 44.',
          'the answer is \\boxed{42} or \\boxed{43}',
          '\\boxed{41} or \\boxed{42}',
          '\\boxed{42}, \\boxed{43}',
          'the answer is 42, 43',
          'the answer is 42 (or 43).',
          'the answer is 42 (million).',
          'the answer is 42 (in millions).',
          '\\boxed{42} million',
          '\\boxed{42}\\%\\text{ or }43\\%',
          '\\boxed{42} + 1',
          'the answer is 42 = 43',
          'the answer is 2x + y = 42',
          '\\boxed{4}\\boxed{2}',
          'the answer is (42,0)',
          'the answer is [42,0)',
          'the answer is 42. However, it could also be 43.',
          'the answer is 42 [or 43].',
        ],
      ],
      ['12.5', ['the answer is 12.5% (rounded to one decimal).', 'the answer is 12.5%, rounded to one decimal.'], []],
      [
        '5 km',
        ['\\boxed{5} km', '\\boxed{5\\text{ km}}', '\\boxed{5}\\text{ km}'],
        ['\\boxed{5} miles', '\\boxed{5}\\text{ kg}'],
      ],
      [
        'True',
        ['the answer is yes', 'the answer is True.', 'the answer is \\boxed{\\text{Yes}}'],
        ['the answer is no', 'the answer is 0'],
      ],
      [
        '\\sqrt{2}',
        ['the answer is $\\sqrt2$', 'the answer is √2', '\\boxed{\\sqrt{2}}'],
        ['the answer is 2', 'the answer is √3', 'the answer is 1.4142'],
      ],
      ['(0,9)', ['the answer is (0, 9)'], ['the answer is [0,9)', 'the answer is 0.9', 'the answer is 0,9']],
      ['a^2 + b = 0', ['the answer is $a^2+b=0$'], ['the answer is 0', 'the answer is a^2 - b = 0']],
      ['2(3+4)', ['the answer is $2(3 + 4)$'], ['the answer is 2 3+4', 'the answer is (2 3)+4']],
    ],
  ],
  [
    'an answer followed by more',
    'docqa',
    [
      [
        'Paris',
        [
          'Therefore, the answer is Paris.\n\nThis follows from document 2.',
          'the answer is Paris. It is stated in document 2.',
          'the answer is **Paris**.\n\n**Explanation:** The treaty was signed there.',
          'the answer is "Paris" (document 2).',
          'the answer is Paris [2], [3].',
          'the answer is Paris, according to document 2.',
          'the answer is $\\boxed{\\text{Paris}}$. I hope it is correct.',
          '**Final Answer:** Paris',
          'Final answer:\nParis',
          'the answer is Paris. If you have questions, let me know!',
        ],
        [
          'the answer is Paris. London. Rome.',
          'the answer is Paris\nLondon\nRome',
          'the answer is Paris\n\nLondon\n\nRome',
          'the answer is Paris. Or London',
          'the answer is Paris. Alternatively, it is London.',
          'the answer is Paris. But it is London.',
          'the answer is Paris (or London).',
          'the answer is Paris. Another answer might be London.',
          'the answer is Paris because of this, or London.',
        ],
      ],
      ['St. Ives', ['the answer is St. Ives. This follows from document 2.'], ['the answer is Ives']],
      ['J. R. R. Tolkien', ['the answer is J. R. R. Tolkien. This is stated in the text.'], ['the answer is J.']],
      ['No. 5', ['the answer is No. 5.'], ['the answer is No.']],
      [
        'yes',
        ['the answer is Yes. I hope it is correct.', 'the answer is yes.\n\nThis follows from document 2.'],
        ['the answer is Yes. They were not.', 'the answer is Yes\n\nThey were not both American.'],
      ],
      ['no', ['the answer is No. I hope it is correct.'], ['the answer is No. 5 is the one.', 'the answer is No. 5']],
      ['21', ['the answer is twenty-one (21).'], ['the answer is twenty-one (22).', 'the answer is 21 or 22.']],
    ],
  ],
];

/** What an answer is followed by, where that takes it back or may give another one; and where it does not. */
const AFTER: Record<Task, { gold: string; another: string[]; explained: string[] }> = {
  docmath: {
    gold: '42',
    another: [
      'This is wrong; it should be 43.',
      'The correct value is 43.',
      'The value is 43.',
      'The total is 43.',
      'The right answer would be 43.',
      'We get 43.',
      'It equals 42 million.',
      'The value is -42.',
      'The value is forty-three.',
      'x = 43.',
      'This is a mistake.',
      'Sorry, it is more.',
      'Explanation: the value is 43.',
      'This follows from document 2. The total is 43.',
    ],
    explained: [
      'The value is 42.',
      'It is 42 according to Table 3.',
      'Explanation: 6 × 7 = 42.',
      'This is based on documents 2 and 3.',
    ],
  },
  docqa: {
    gold: 'Paris',
    another: [
      'This is wrong; it is London.',
      'The correct city is London.',
      'It is London.',
      'It is london.',
      'London is the answer.',
      'London is stated in document 2.',
      'London is also right.',
      'The text says London.',
      'It was signed in London.',
      'As the text says, it is in London.',
      'No, it is London.',
      'This is not right.',
      'This is stated in the text. It is London.',
    ],
    explained: ['The city is Paris.', 'This is stated in the first document.'],
  },
  choice: {
    gold: 'B',
    another: [
      'This is wrong; it should be C.',
      'C is also right.',
      'C is right.',
      'It is C.',
      '(C)',
      'C.',
      'Or C.',
      'Option C fits too.',
      'I was wrong.',
      'Actually, C.',
      'Sorry, I mean (C).',
    ],
    explained: ['A is wrong.', 'It is B.'],
  },
};
const EXPLAINED = [
  'This follows from document 2.',
  'I hope it is correct.',
  'See document [2].',
  'This is stated in the second paragraph.',
];
const LEADS = ['The answer is G. ', 'The answer is \\boxed{G}. ', 'The answer is G\n\n'];

describe.each(Object.entries(AFTER) as [Task, (typeof AFTER)[Task]][])('%s: after an answer', (task, cases) => {
  const { gold, another, explained } = cases;
  const score = (lead: string, more: string) =>
    scoreRule('hardened', task, lead.replace('G', gold) + more, [gold], { question: 'Which?' }).score;

  test.each(another)('%j gives another one, or none', more => {
    expect(LEADS.map(lead => score(lead, more))).toEqual([0, 0, 0]);
  });

  test.each([...explained, ...EXPLAINED])('%j explains it', more => {
    expect(LEADS.map(lead => score(lead, more))).toEqual([1, 1, 1]);
  });
});

test.each(['yes', 'no'])('a %s that is taken back is none', gold => {
  for (const more of ['This is wrong.', 'This is incorrect.', 'Sorry, I made a mistake.']) {
    expect(scoreRule('hardened', 'docqa', `The answer is ${gold}. ${more}`, [gold]).score).toBe(0);
  }
});

describe.each(TABLES)('%s: %s', (_, task, rows) => {
  const of = (kind: 1 | 2) => rows.flatMap(row => row[kind].map(response => [row[0], response] as const));

  test.each(of(1))('gold %j: %j is right', (gold, response) => {
    expect(scoreRule('hardened', task, response, [gold])).toMatchObject({ score: 1 });
  });

  test.each(of(2))('gold %j: %j is wrong', (gold, response) => {
    expect(scoreRule('hardened', task, response, [gold])).toMatchObject({ score: 0 });
  });
});

describe('choices', () => {
  const FIVE = 'Which? (A) 1 (B) 2 (C) 3 (D) 4 (E) 5';
  const CITIES = 'Which city?\nA. London\nB. Paris\nC. Rome\nD. New York City\nE. None of the above\nF. B and C';

  test.each<[question: string, gold: string, response: string, score: 0 | 1]>([
    [FIVE, 'E', 'The correct answer is (E).', 1],
    [FIVE, 'E', 'the answer is e', 1],
    [FIVE, 'E', 'The correct answer is E.', 1],
    [FIVE, 'E', '(E)', 1],
    [FIVE, 'E', 'E.', 1],
    [FIVE, 'E', '$\\boxed{E}$', 1],
    [FIVE, 'E', 'So \\boxed{\\text{(E)}}.', 1],
    [FIVE, 'E', 'So \\boxed{\\textbf{(E)}\\ 5}.', 1],
    [FIVE, 'E', 'The correct answer is Option E.', 1],
    [FIVE, 'E', 'Option E is correct.', 1],
    [FIVE, 'E', 'E is the correct answer.', 1],
    [FIVE, 'E', 'The correct answer is 5.', 1],
    [FIVE, 'E', '**Final Answer**\nE', 1],
    [FIVE, '5', 'The correct answer is (E).', 1],
    [FIVE, '(E) 5', 'The correct answer is (E).', 1],
    [FIVE, 'E', 'The correct answer is (D).', 0],
    [FIVE, 'E', 'The correct answer is (D) or (E).', 0],
    [FIVE, 'E', 'The correct answer is 4.', 0],
    [FIVE, 'E', 'The correct answer is (E) 4.', 0],
    [FIVE, 'E', 'The correct answer is 6.', 0],
    [CITIES, 'Paris', '(B)', 1],
    [CITIES, 'Paris', 'The correct answer is (B) Paris.', 1],
    [CITIES, 'Paris', 'the answer is Paris', 1],
    [CITIES, 'Paris', 'The correct answer is (B) London.', 0],
    [CITIES, 'Paris', '(A)', 0],
    [CITIES, 'F', 'The correct answer is F.', 1],
    [CITIES, 'F', 'The correct answer is (F) B and C.', 1],
    [CITIES, 'E', 'None of the above is the answer. The answer is: None of the above', 1],
    ['', 'J', 'The correct answer is (J)', 1],
    ['', 'B', 'The correct answer is (B) or (J)', 0],
    ['', 'I', 'The correct answer is I.', 1],
  ])('%j, gold %j: %j', (question, gold, response, score) => {
    expect(scoreRule('hardened', 'choice', response, [gold], { question })).toMatchObject({ score });
  });
});

describe('what is known of a response besides its text', () => {
  test.each<[text: string, context: ResponseContext, score: 0 | 1, reason: RegExp]>([
    ['Hmm. The answer is Paris', { promptOpensThinking: true }, 0, /it ends inside <think>/],
    ['Hmm.</think>The answer is Paris', { promptOpensThinking: true }, 1, /equals/],
    ['Hmm.</think>The answer is Paris', {}, 1, /equals/],
    ['</think>The answer is Paris <think>but', {}, 0, /it ends inside <think>/],
    ['Hmm, perhaps the answer is Paris', { finish: 'length' }, 0, /it was cut off/],
    ['The answer is \\boxed{Paris}. This', { finish: 'length' }, 1, /equals/],
    ['The answer is Paris.\n\nThis follows from the', { finish: 'length' }, 1, /equals/],
    ['The answer is Paris. Or Lond', { finish: 'length' }, 0, /cut off|is not/],
    ['The answer is Paris. This is', { finish: 'length' }, 1, /equals/],
    ['The answer is Paris', { finish: 'stop' }, 1, /equals/],
  ])('%j, %j', (text, context, score, reason) => {
    const verdict = scoreRule('hardened', 'docqa', text, ['Paris'], context);
    expect(verdict.score).toBe(score);
    expect(verdict.reason).toMatch(reason);
  });

  test('the authors’ scorer passes it over', () => {
    const text = '</think> Therefore, the answer is Paris';
    const whole = scoreRule('qwenlong-l1', 'docqa', text, ['Paris']);
    expect(scoreRule('qwenlong-l1', 'docqa', text, ['Paris'], { finish: 'length', promptOpensThinking: true })).toEqual(
      whole,
    );
  });
});
