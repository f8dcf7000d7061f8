/** What the page's answers are made of: thinned lines, prompts in parts, histories as spans, and what verify kept. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { FolderStore } from '../../../activities/store/index.js';
import { keepVerification, type Verification, verifications } from '../../../infra/proof/verifications.js';
import { chapterOf, type HistoryEvent } from '../../../infra/ui/history-events.js';
import { promptParts } from '../../../infra/ui/prompt-parts.js';
import { Recent } from '../../../infra/ui/recent.js';
import { routeOf } from '../../../infra/ui/routes.js';
import { spread } from '../../../infra/ui/step-rows.js';
import { thinned } from '../../../infra/ui/thinning.js';
import { watchedStore } from '../../../infra/ui/watched-store.js';

describe('lines with fewer points', () => {
  const length = 10_000;
  const line = Array.from({ length }, (_, k) => Math.sin(k / 300));
  line[4321] = 9;
  line[7777] = -9;
  const other = line.map((value, k) => (k === 1234 ? 5 : Number.isNaN(value) ? 0 : 0.5));

  test('keep their ends and every spike, of each series', () => {
    const kept = thinned([line, other], length, 400);
    expect(kept.length).toBeLessThanOrEqual(402);
    expect(kept).toEqual(expect.arrayContaining([0, 1234, 4321, 7777, length - 1]));
    expect([...kept].sort((a, b) => a - b)).toEqual(kept);
  });
  test('gaps are no spikes, and short lines stay whole', () => {
    const gaps = line.map((value, k) => (k < 9000 ? Number.NaN : value));
    expect(thinned([gaps], length, 100).filter(k => k > 0 && k < 9000)).toEqual([]);
    expect(thinned([[1, 2, 3]], 3, 100)).toEqual([0, 1, 2]);
  });
  test('spread evenly, the first and the last included', () => {
    expect(spread([1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).toEqual([1, 5, 9]);
    expect(spread([1, 2], 3)).toEqual([1, 2]);
  });
});

describe('a prompt in parts', () => {
  const template = 'Read:\n{document}\n\nQuestion: {question}\nAnswer:';
  const long = (word: string) => `${word} `.repeat(60).trim();
  const documents = [`[1] First\n${long('one')}`, `[2] Second\n${long('two')}\n\nmore of it`];
  const prompt = `<|user|>Read:\n${documents.join('\n\n')}\n\nQuestion: Who?\nAnswer:<|end|>`;

  test('numbered documents one by one, blank lines within included, and which of them is evidence', () => {
    const parts = promptParts(prompt, { template, numbered: true, evidence: [2] });
    expect(parts.map(({ text }) => text).filter(text => text.startsWith('['))).toEqual(documents);
    expect(parts.filter(({ isEvidence }) => isEvidence).map(({ number }) => number)).toEqual([2]);
    expect([parts[0]!.text, parts.at(-1)!.text]).toEqual(['<|user|>Read:\n', '\n\nQuestion: Who?\nAnswer:<|end|>']);
  });
  test('of others the blank lines alone are known, and none is evidence', () => {
    const parts = promptParts(prompt, { template, numbered: false, evidence: [2] });
    expect(parts.filter(({ kind }) => kind === 'document')).toHaveLength(3);
    expect(parts.some(({ isEvidence }) => isEvidence)).toBe(false);
  });
  test.each([
    ['a template without documents', '{question}'],
    ['a prompt that another template made', 'Elsewhere {document} and after it {question}'],
  ])('%s: as it is', (_, other) => {
    expect(promptParts(prompt, { template: other, numbered: true, evidence: [] })).toEqual([
      { kind: 'text', text: prompt, number: null, isEvidence: false },
    ]);
  });
  test('a short text is not folded', () => {
    const parts = promptParts('Read:\nabc\n\nQuestion: Who?\nAnswer:', { template, numbered: false, evidence: [] });
    expect(parts).toHaveLength(1);
  });
});

describe('a history', () => {
  const at = (seconds: number) => ({ eventTime: { seconds, nanos: 500_000_000 } });
  const input = { payloads: [defaultPayloadConverter.toPayload({ step: 7 })] };
  const scheduled = (eventId: number) => ({
    eventId,
    ...at(10),
    activityTaskScheduledEventAttributes: { activityType: { name: 'trainSteps' }, input },
  });
  const started = (scheduledEventId: number, more: object) => ({
    ...at(20),
    activityTaskStartedEventAttributes: { scheduledEventId, identity: '1@box', ...more },
  });
  const completed = (scheduledEventId: number) => ({
    ...at(25),
    activityTaskCompletedEventAttributes: { scheduledEventId },
  });
  const chapter = (events: object[]) => chapterOf('run/phase-2/3', events as HistoryEvent[]);

  test('an activity is a span, by whom and from which step on', () => {
    const { spans, marks, isClosed } = chapter([scheduled(5), started(5, { attempt: 1 }), completed(5)]);
    expect(spans).toEqual([
      {
        ...{ workflow: 'run/phase-2/3', activity: 'trainSteps', worker: '1@box', from: 20_500, to: 25_500, step: 7 },
        ...{ tries: 1, outcome: 'done', failure: null },
      },
    ]);
    expect([marks, isClosed]).toEqual([[], false]);
  });
  test.each([
    [
      'retry',
      { message: 'activity error', cause: { message: 'disk full\nat …' } },
      'trainSteps failed (try 2): disk full',
    ],
    ['recovery', { message: 'activity Heartbeat timeout', timeoutFailureInfo: {} }, 'its worker was lost'],
  ])('what failed and was tried again is a %s', (kind, lastFailure, text) => {
    const { spans, marks } = chapter([scheduled(5), started(5, { attempt: 2, lastFailure }), completed(5)]);
    expect(spans[0]).toMatchObject({ tries: 2, outcome: 'done' });
    expect(marks).toEqual([{ stage: 'phase-2', attempt: 3, step: 7, kind, text: expect.stringContaining(text) }]);
  });
  test('children and what goes on as new are read next, and what people asked for is told', () => {
    const { next, events, isClosed } = chapter([
      {
        ...at(1),
        childWorkflowExecutionStartedEventAttributes: { workflowExecution: { workflowId: 'c', runId: 'r' } },
      },
      { ...at(2), workflowExecutionUpdateAcceptedEventAttributes: { acceptedRequest: { input: { name: 'pause' } } } },
      { ...at(3), workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'r2' } },
    ]);
    expect(next).toEqual([
      { id: 'c', runId: 'r' },
      { id: 'run/phase-2/3', runId: 'r2' },
    ]);
    expect(events).toEqual([{ time: 2500, kind: 'asked', text: 'pause' }]);
    expect(isClosed).toBe(true);
  });
  test('an input that cannot be read, as of an encrypted run, is no hindrance', () => {
    const event = {
      ...scheduled(5),
      activityTaskScheduledEventAttributes: { input: { payloads: [{ metadata: {} }] } },
    };
    expect(chapter([event]).spans[0]).toMatchObject({ step: null, outcome: 'under way' });
  });
});

test('what verify found is kept, the newest first, and what is damaged of it is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-verified-'));
  try {
    const store = new FolderStore(folder);
    const found = (at: string, sound: boolean): Verification => {
      return { at, code: { longhaul: '1', onnxruntime: '1' }, steps: 3, faults: [], redone: [], sound };
    };
    await keepVerification(store, 'run', found('2026-01-01T10:00:00.000Z', false));
    await keepVerification(store, 'run', found('2026-01-02T10:00:00.000Z', true));
    const problems: string[] = [];
    const watched = await watchedStore(folder);
    const soundness = async () =>
      (await verifications(watched, 'run', message => problems.push(message))).map(({ sound }) => sound);
    expect([await soundness(), problems]).toEqual([[true, false], []]);
    const [file] = await store.list('store:runs/run/verified');
    await writeFile(join(folder, 'runs', 'run', 'verified', file!), 'other');
    expect([await soundness(), problems]).toEqual([[true], [expect.stringContaining('is damaged')]]);
    expect(await verifications(watched, 'other', () => {})).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('what was not asked for longest goes first', () => {
  const recent = new Recent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.get('a');
  recent.set('c', 3);
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([1, undefined, 3]);
});

test.each([
  [['runs', 'run', 'phase-1', '2', '3'], 'step'],
  [['runs', 'run', 'evaluations', 'items'], 'runItems'],
  [['runs', 'run', 'phase-1', '02', '3'], undefined],
  [['runs', 'run', 'questions', 'x'], undefined],
  [[], undefined],
])('the address %p is of %p', (path, name) => expect(routeOf(path)?.name).toBe(name));
