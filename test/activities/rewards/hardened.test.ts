/** What the hardened scorer takes for right and for wrong: a table a task, [gold, right answers, wrong answers]. */
import { scoreRule } from '../../../activities/rewards/rules';

type Row = [gold: string | string[], right: string[], wrong: string[]];

const pairs = (rows: Row[], kind: 1 | 2): [string[], string][] =>
  rows.flatMap(row => row[kind].map((answer): [string[], string] => [[row[0]].flat(), answer]));

const say = (answer: string): string => `<think>Hm.</think> Therefore, the answer is ${answer}`;

const DOCQA: Row[] = [
  // the holes of the authors' scorer
  [
    'Paris',
    ['Paris', 'paris.', '**Paris**', '(Paris)', '"Paris"', ': Paris', '\\boxed{Paris}', '$\\text{Paris}$'],
    [
      'the.',
      '"',
      'not Paris',
      'London or Paris or Rome',
      'Par',
      'P',
      '',
      '.',
      'Paris, London',
      'Paris or London',
      'Paris and London',
      'either Paris or Rome',
      'Paris?? London',
      'Paris. Or London',
      'Parisian',
      'probably not Paris',
    ],
  ],
  [
    '1987',
    ['1987', '1,987', 'the 1987'],
    ['1.', '1', '19', '987', '87', '1987 or 1988', '1988', '19870', '-1987', '1987-1990', '1987%s'],
  ],
  [
    '5',
    ['5', '5.0', '5.00', 'five', '+5', '5 km', '$5', '5%', '5 years'],
    ['-5', '50', '0.5', '500', '5000', '55', '5 or 6', '5-6', '5 million', '3', '5 Seconds of Summer', '5th'],
  ],
  ['the', ['the'], ['a', '.', '', 'an']],
  ['!!!', [], ['???', '.', '-']],
  // Unicode
  ['São Paulo', ['Sao Paulo', 'SÃO PAULO', 'Sa\u0303o Paulo', 'São\u00a0Paulo', 'São Pa\u00adulo'], ['San Paulo']],
  ['Łódź', ['Lodz', 'łódź'], ['Lod']],
  ['Straße', ['STRASSE', 'Strasse'], ['Strase']],
  ['１９８７', ['1987'], ['1986']],
  ['O’Neill', ["O'Neill", 'ONeill'], ['Neill']],
  ['東京', ['東京', '東京。'], ['京都', '東']],
  ['Йод', ['йод'], ['Иод']],
  ['5½', ['5 1/2', '5.5', '5½'], ['51/2', '5', '0.5']],
  ['C#', ['c#'], ['C', 'C++']],
  ['Jean-Luc Picard', ['Jean Luc Picard', 'Jean–Luc Picard'], ['Jean', 'Picard', 'Jean-Luc Godard']],
  ['U.S.', ['US', 'u.s.'], ['U', 'USA']],
  // dates
  [
    'May 3, 1987',
    [
      '3 May 1987',
      '1987-05-03',
      '3rd of May, 1987',
      'May 3rd, 1987',
      'Sunday, May 3, 1987',
      'the 3rd of May 1987',
      '3-May-1987',
      'on May 3, 1987',
      '1987/5/3',
      'MAY 3 1987',
      '1987 May 3',
    ],
    [
      '1987',
      'May 1987',
      'May 3',
      '3 May 1986',
      'May 30, 1987',
      'June 3, 1987',
      '03/05/1987',
      '05/03/1987',
      '3',
      'May 3, 1987 or 1988',
    ],
  ],
  [
    '25 December 1990',
    ['25/12/1990', '12/25/1990', 'Dec. 25, 1990', '25.12.1990'],
    ['24/12/1990', '25/12/1991', 'December 1990'],
  ],
  ['03/05/1987', ['03/05/1987'], ['3 May 1987', 'March 5, 1987', '05/03/1987']],
  [
    'September 2001',
    ['Sept 2001', 'Sep. 2001', 'september, 2001'],
    ['2001', 'September', 'September 11, 2001', 'August 2001'],
  ],
  ['May 3', ['3 May', 'May 3rd'], ['May', '3', 'May 3, 1987', 'May 30']],
  // numbers in words, groups and scales
  [
    '105',
    ['one hundred and five', 'one hundred five', 'a hundred and five'],
    ['one hundred', 'five', 'one hundred or five'],
  ],
  ['twenty-one', ['21', 'Twenty one'], ['20', '1', '201', 'twenty']],
  ['zero', ['0', '0.0'], ['1', 'none', '-1']],
  [
    '5 million',
    ['5,000,000', '5000000', 'five million', '5.0 million', '$5 million'],
    ['5', '5 billion', '500,000', '5 thousand', '50 million'],
  ],
  ['1,234.5', ['1234.5', '1234.50'], ['12345', '1,234', '1.2345', '1 234 5']],
  ['3:2', ['3:2'], ['32', '3.2']],
  ['007', ['007'], ['7']],
  ['10³', ['10^3'], ['103']],
  ['1,2', ['1, 2'], ['12', '1.2']],
  ['Three Doors Down', ['3 Doors Down'], ['3', 'Three']],
  // percentages, currencies, units
  [
    '5%',
    ['5 percent', '5 per cent', 'five percent', '5', '5.0%'],
    ['0.05', '50%', '$5', '5 km', '-5%', '5 percentage points'],
  ],
  [
    '$5 million',
    ['5 million dollars', '5 million', 'US$5 million', '5,000,000 USD', '$5m', '$5,000,000'],
    ['€5 million', '$5', '$5 billion', '5 million euros', '£5 million', '$50 million', '5 million people'],
  ],
  ['5 km', ['5 kilometers', '5 kilometres', '5km', '5', 'five km'], ['5 miles', '5 m', '50 km', '5 kg', '5000']],
  ['£20', ['20 pounds', '20 GBP', '20 pounds sterling'], ['$20', '20 euros', '20p']],
  ['5,000 troops', ['5000 troops', 'five thousand troops'], ['5000', '5000 soldiers', '500 troops']],
  ['45 years', ['45', '45 yrs', 'forty-five years'], ['45 days', '54 years']],
  ['20 °C', ['20 degrees Celsius', '20°C'], ['20 °F', '-20 °C']],
  // aliases
  [
    ['New York City', 'NYC'],
    ['NYC', 'new york city'],
    ['New York', 'York', 'NY'],
  ],
  [
    'United States (US)',
    ['United States', 'US', 'U.S.', 'United States (US)'],
    ['States', 'United', 'UK', 'America (US)'],
  ],
  ['Paris (Texas)', ['Paris Texas'], ['Paris', 'Texas']],
  ['World Health Organization', ['World Health Organization (WHO)'], ['WHO (band)', 'World']],
  // yes and no
  [
    'yes',
    ['Yes', 'yes.', 'Yes, they were both American', 'YES; both are'],
    [
      'no',
      'not yes',
      'yes and no',
      'yes, no',
      'Yes, but not really',
      'Yes, they were not',
      'maybe yes',
      'yesterday',
      'yes or no',
      'Yes, or maybe not',
    ],
  ],
  [
    'no',
    ['No.', 'No, they were not both American', 'no'],
    ['yes', 'not known', 'No, but yes', 'none', 'north', 'No, however they were', 'No idea'],
  ],
  // titles stay, one person is not another
  [
    'Barack Obama',
    ['barack obama'],
    ['Obama', 'Michelle Obama', 'President Barack Obama', 'Barack Obama and Joe Biden', 'Not Barack Obama'],
  ],
  ['Therefore, the answer is Paris.', ['Paris'], ['Therefore', 'the answer']],
];

const DOCMATH: Row[] = [
  [
    '5',
    [
      '5',
      '5.0',
      '5.00',
      '= 5',
      '≈5',
      'approximately 5',
      'x = 5',
      '$5$',
      '\\boxed{5}',
      '$\\boxed{5.0}$',
      '**5**',
      '5.007',
      '4.993',
      '5.0075',
      '4.9925',
      '5%',
      '$5',
      '500%',
      'five',
      '5 million'.replace(' million', ' years'),
    ],
    [
      '-5',
      '50',
      '0.5',
      '500',
      '5000',
      '0.05',
      '0.005',
      '500000',
      '5.0076',
      '4.9924',
      '5 million',
      '5 thousand',
      '5 or 6',
      '1',
      '',
      '.',
      'Paris',
      '5 6',
      'inf',
      'nan',
      '55',
      '5.1',
      '$5k',
      '5e1',
      '5 dozen',
    ],
  ],
  ['1', ['1', '1.001', 'one', '1e0', '100%'], ['1000', '10', '100', '0.1', '-1', '0']],
  ['10.1', ['10.1', '10.10'], ['101', '1.01', '10.2', '.101']],
  ['0.0009', ['0.0009', '9e-4', '9 × 10^-4', '9×10⁻⁴', '0.09%'], ['0.0001', '0.001', '0', '0.09', '9']],
  ['0', ['0', '0.0', 'zero', '-0', '0%'], ['0.0001', '-0.0001', '1', '']],
  ['-12.5', ['-12.5', '−12.5', '-$12.5', '$-12.5', '-12.51'], ['12.5', '-125', '-1.25']],
  ['1,987', ['1987', '1,987.00', '1 987'], ['1', '987', '1.987', '19,87']],
  ['0.05', ['0.05', '.05', '5%', '1/20', '\\frac{1}{20}'], ['5', '50', '0.5', '500', '0.5%']],
  ['5%', ['5%', '5 percent', '5', '0.05', '5\\%'], ['500%', '0.05%', '500', '0.5', '0.0005', '-5%']],
  [
    '5 million',
    ['5,000,000', '5 million dollars', '$5 million', '5.0×10^6', '5e6', '$5M'],
    ['5', '5 thousand', '5 billion', '500'],
  ],
  [
    '$5.2 million',
    ['5.2 million', '5,200,000', '\\$5.2 million'],
    ['5.2', '€5.2 million', '5.2 million euros', '5.2%'],
  ],
  ['1e400', [], ['1e401', '1']],
  [
    '99999999999999999999',
    ['99999999999999999999', '100000000000000000000'],
    ['9999999999999999999', '-99999999999999999999'],
  ],
  ['1_000', ['1_000'], ['1', '1000000']],
  ['yes', ['yes', 'Yes, it did'], ['no', '1']],
];

describe.each([['docqa', DOCQA] as const, ['docmath', DOCMATH] as const])('%s', (task, rows) => {
  test.each(pairs(rows, 1))('gold %j: %j is right', (golds, answer) => {
    expect(scoreRule('hardened', task, say(answer), golds)).toMatchObject({ score: 1 });
  });

  test.each(pairs(rows, 2))('gold %j: %j is wrong', (golds, answer) => {
    expect(scoreRule('hardened', task, say(answer), golds)).toMatchObject({ score: 0 });
  });
});

describe('choice', () => {
  test.each([
    ['The correct answer is (B)', 'B'],
    ['The correct answer is B.', 'B'],
    ['the answer is b', 'B'],
    ['The correct answer is **(B)**.', 'B'],
    ['The correct answer is: (B)', 'B'],
    ['The answer is option B', 'B'],
    ['Answer: B', 'B'],
    ['So \\boxed{B}', 'B'],
    ['So $\\boxed{\\text{B}}$.', 'B'],
    ['The correct answer is (B) Paris.', 'B'],
    ['The correct answer is B because Paris is.', 'B'],
    ['The correct answer is (A). No: the correct answer is (B)', 'B'],
    ['The correct answer is (B). (A) is wrong.', 'B'],
    ['<think>The correct answer is (A)</think>The correct answer is (B)', 'B'],
    ['The correct answer is (B). I hope the answer is clear.', 'B'],
    ['The correct answer is (A) or (B)', null],
    ['The correct answer is (A), (B), (C), (D)', null],
    ['The correct answer is A/B', null],
    ['The correct answer is B, C', null],
    ['The correct answer is B, not A.', null],
    ['The correct answer is (A)\n(B)', null],
    ['The correct answer is Dublin', null],
    ['The answer is a good one', null],
    ['The correct answer is (E)', 'E'],
    ['The correct answer is ', null],
    ['<think>The correct answer is (B)', null],
    ['<think>The correct answer is (A)</think> B', 'B'],
    ['B', 'B'],
    ['It must be B', null],
    ['', null],
  ])('%j states %j', (response, letter) => {
    const { score, extracted } = scoreRule('hardened', 'choice', response, ['The correct answer is (B)']);
    expect(extracted).toBe(letter);
    expect(score).toBe(letter === 'B' ? 1 : 0);
  });

  test.each(['B', 'b', '(B)', 'B. Paris', 'B) Paris', 'The correct answer is (B)', 'The correct answer is B.'])(
    'gold %j is the letter B',
    gold => {
      expect(scoreRule('hardened', 'choice', 'The correct answer is (B)', [gold]).score).toBe(1);
      expect(scoreRule('hardened', 'choice', 'The correct answer is (C)', [gold]).score).toBe(0);
    },
  );

  test('a gold without a letter is right for none', () => {
    for (const letter of 'ABCD') {
      const verdict = scoreRule('hardened', 'choice', `The correct answer is (${letter})`, ['Dublin']);
      expect(verdict).toMatchObject({ score: 0, reason: `as letters, '${letter}' is not 'no letter: Dublin'` });
    }
  });
});

describe('reasons', () => {
  test.each([
    ['docqa', say('London'), ['Paris'], "as text, 'london' is not 'paris'"],
    ['docqa', say('PARIS.'), ['Paris'], 'equals the gold answer "Paris": as text, both are \'paris\''],
    [
      'docqa',
      say('3 May 1987'),
      ['May 3, 1987'],
      'equals the gold answer "May 3, 1987": as dates, both are \'1987-05-03\'',
    ],
    ['docqa', say('5 miles'), ['5 km'], "as quantities, '5 mi' is not '5 km'"],
    ['docqa', say('Yes, but no'), ['yes'], "as yes or no, 'yes, taken back' is not 'yes'"],
    ['docmath', say('50'), ['5'], "as numbers within 0.15 %, '50' is not '5'"],
    [
      'docmath',
      say('5%'),
      ['0.05'],
      "equals the gold answer \"0.05\": as numbers within 0.15 %, '5 % or 0.05' is '0.05'",
    ],
    ['docqa', 'Paris', ['Paris'], 'no answer found: expected "the answer is …" at the end'],
    ['docqa', '<think>the answer is Paris', ['Paris'], 'no answer found: it ends inside <think>'],
    ['docqa', say('Paris'), [], 'there is no gold answer'],
    [
      'docqa',
      say('Paris'),
      ['a1', 'b', 'c', 'd', 'e'],
      "as text, 'paris' is not 'a1'; as text, 'paris' is not 'b'; as text, 'paris' is not 'c'; nor any of 2 more",
    ],
  ] as const)('%s %j for %j', (task, response, golds, reason) => {
    expect(scoreRule('hardened', task, response, golds).reason).toBe(reason);
  });
});

test('responses that only repeat themselves are scored without delay', () => {
  const degenerate = [
    ' ',
    '*',
    '.',
    '(',
    '"',
    '\n',
    'the answer is ',
    'answer is A, ',
    '\\boxed{',
    '5',
    '5,',
    '</think>',
    '<|im_end|>',
    '<',
    '\\frac{1}{',
  ];
  const started = performance.now();
  for (const piece of degenerate)
    for (const task of ['docqa', 'docmath', 'choice'] as const)
      for (const tail of ['', 'x'])
        for (const scorer of ['hardened', 'qwenlong-l1'] as const)
          scoreRule(scorer, task, `</think>the answer is ${piece.repeat(40_000 / piece.length)}${tail}`, [
            'Paris',
            '5',
            'B',
          ]);
  expect(performance.now() - started).toBeLessThan(15_000);
});
