import { ContaminationCheck } from '../../../activities/datasets/contamination.js';
import type { Sample } from '../../../activities/datasets/sample.js';
import { townSamples } from '../../support/samples.js';

const samples = townSamples(20);
const gold = (k: number) => samples[k]!.documents[1]!;
/** A sample that shares nothing with the others unless told to. */
const other = (change: Partial<Sample>): Sample => ({
  ...samples[0]!,
  id: 'other',
  question: 'Who?',
  documents: [],
  evidence: [],
  ...change,
});

function overlaps(evaluated: Sample[], trained: Sample[]) {
  const check = new ContaminationCheck();
  for (const sample of evaluated) check.evaluated(0, sample);
  for (const sample of trained) check.trained('data[0]', sample);
  return check.overlaps();
}

test('sets that share nothing have no overlap', () => {
  expect(overlaps(samples.slice(0, 10), samples.slice(10))).toEqual([]);
});

test('a question is found whatever its case and punctuation, each sample of the set counted once', () => {
  const shouted = samples
    .slice(0, 5)
    .map(s => other({ id: `${s.id}!`, question: s.question.toUpperCase().replace('?', ' ?!') }));
  expect(overlaps(samples.slice(0, 10), [...shouted, ...shouted])).toEqual([
    {
      ...{ set: 0, source: 'data[0]', kind: 'questions', samples: 5 },
      examples: [0, 1, 2].map(k => ({ evaluation: `q${k}`, training: `q${k}!` })),
    },
  ]);
});

test('of the set’s documents those count that its answer rests on; all where that is not known', () => {
  const distractor = {
    title: 'Other',
    text: 'This paragraph is a distractor in two questions, as happens with real paragraphs.',
  };
  const asked = other({ id: 'asked', question: 'Which?', documents: [gold(0), distractor], evidence: [0] });
  expect(overlaps([asked], [other({ documents: [distractor] })])).toEqual([]);
  expect(overlaps([{ ...asked, evidence: null }], [other({ documents: [distractor] })])).toHaveLength(1);
  // Trained on even as a distractor: then the model has read it.
  expect(
    overlaps(
      [asked],
      [other({ documents: [distractor, { title: 'Else', text: ` ${gold(0).text} ` }], evidence: [0] })],
    ),
  ).toEqual([
    {
      set: 0,
      source: 'data[0]',
      kind: 'documents',
      samples: 1,
      examples: [{ evaluation: 'asked', training: 'other' }],
    },
  ]);
});

test('documents of a few words are anyone’s', () => {
  const documents = [{ title: 'Entry', text: 'Entry is free on Sundays and holidays.' }];
  expect(overlaps([other({ documents, evidence: [0] })], [other({ question: 'What?', documents })])).toEqual([]);
  const longer = [{ title: 'Entry', text: 'Entry is free on Sundays and holidays too.' }];
  expect(
    overlaps([other({ documents: longer, evidence: [0] })], [other({ question: 'What?', documents: longer })]),
  ).toHaveLength(1);
});

test('what something was written into counts as it was', () => {
  const { question, documents } = samples[0]!;
  const hidden = other({
    question: 'Start at …',
    documents: documents.map(d => ({ ...d, text: `{"a": "b"} ${d.text}` })),
    original: { question, documents },
  });
  expect(overlaps([samples[0]!], [hidden]).map(({ kind }) => kind)).toEqual(['questions', 'documents']);
  expect(overlaps([{ ...hidden, evidence: [1] }], [samples[0]!]).map(({ kind }) => kind)).toEqual([
    'questions',
    'documents',
  ]);
});

test('each set and each source is named on its own', () => {
  const check = new ContaminationCheck();
  check.evaluated(1, samples[0]!);
  check.evaluated(0, samples[0]!);
  check.trained('warmup.data[2]', other({ question: samples[0]!.question }));
  check.trained('data[0]', other({ documents: [gold(0)] }));
  expect(check.overlaps().map(({ set, source, kind }) => `${set} ${source} ${kind}`)).toEqual([
    '0 warmup.data[2] questions',
    '0 data[0] documents',
    '1 warmup.data[2] questions',
    '1 data[0] documents',
  ]);
});
