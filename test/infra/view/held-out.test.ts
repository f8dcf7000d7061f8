import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ItemResult, summarise } from '../../../activities/benchmarks/results';
import type { EvaluationRow } from '../../../activities/contract/index';
import type { EvaluationResult } from '../../../activities/evaluation/score-evaluation';
import { evaluationUri, FolderStore, publishJson } from '../../../activities/store/index';
import { heldOutQuestion } from '../../../infra/view/held-out';

let root: string;
let store: FolderStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-heldout-'));
  store = new FolderStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Publishes a policy's answers to a set of two questions and gives the row that refers to them. */
async function evaluated(
  policy: string,
  set: string,
  tokens: number,
  answers: [text: string, score: 0 | 1][],
): Promise<EvaluationRow> {
  const uri = evaluationUri('tiny', `${policy}.${set}`, 'p'.repeat(8), 'json');
  const items = answers.map(([text, score], i): ItemResult => {
    const answer = {
      text,
      reward: score,
      rule: score,
      extracted: null,
      reason: '',
      tokens: 1,
      finish: 'stop' as const,
    };
    return {
      id: `q${i}`,
      question: `Question ${i}?`,
      golds: ['gold', 'alias'],
      promptTokens: tokens,
      answers: [answer],
    };
  });
  const row = summarise(policy, set, items, uri);
  const result: EvaluationResult = { label: policy, set, policy: 'p', row, items };
  await publishJson(store, uri, result);
  return row;
}

test('the question shown is one of the longest set whose score has changed', async () => {
  const rows = [
    await evaluated('base', 'short', 70, [
      ['x', 0],
      ['x', 0],
    ]),
    await evaluated('base', 'long', 400, [
      ['no idea', 0],
      ['the bakery', 0],
    ]),
    await evaluated('sft', 'long', 400, [
      ['no idea', 0],
      ['Think.\nThe answer is the inn.', 0],
    ]),
    await evaluated('phase-1', 'long', 400, [
      ['no idea', 0],
      ['left out', 0],
    ]),
    await evaluated('final', 'long', 400, [
      ['no idea', 0],
      ['Think.\nThe answer is gold.', 1],
    ]),
  ];
  expect((await heldOutQuestion(store, rows)).join('\n')).toBe(`\
A held-out question (long, 400 tokens, q1):
  Question 1?
  gold: gold | alias
  base (wrong):
    the bakery
  sft (wrong):
    Think.
    The answer is the inn.
  final (right):
    Think.
    The answer is gold.`);
});

test('without evaluations there is none', async () => {
  expect(await heldOutQuestion(store, [])).toEqual([]);
});
