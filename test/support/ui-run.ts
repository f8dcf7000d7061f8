/** A store as the page's tests want it: a small run through all its stages, with evaluations of two policies. */
import { evaluationUri, publishJson } from '../../activities/store/index.js';
import { driveRun } from './drive.js';
import { type SmallRun, smallRun } from './small-run.js';

const ITEMS = 5;
const POLICIES = { sft: 'cd'.repeat(16), final: 'ab'.repeat(16) };

export async function uiRun(): Promise<SmallRun> {
  const small = await smallRun();
  await driveRun(small);
  for (const [k, [label, policy]] of Object.entries(POLICIES).entries()) {
    const uri = evaluationUri('run', `${label}.held-out`, policy, 'json');
    await publishJson(small.store, uri, evaluated(label, policy, 1 + 2 * k));
  }
  return small;
}

/** @param right so many items are answered rightly, from the first on */
function evaluated(label: string, policy: string, right: number) {
  const items = Array.from({ length: ITEMS }, (_, k) => ({
    id: `item-${k}`,
    question: `Question ${k}?`,
    golds: ['A'],
    promptTokens: 38,
    answers: [answer(k < right)],
  }));
  const row = { policy: label, set: 'held-out', items: ITEMS, score: 20 * right, low: 11.8, high: 88.2 };
  return { label, set: 'held-out', policy, row: { ...row, meanPromptTokens: 38, uri: '' }, items };
}

function answer(isRight: boolean) {
  const text = `Therefore, the answer is ${isRight ? 'A' : 'B'}.`;
  const reward = { reward: isRight ? 1 : 0, rule: isRight ? 1 : 0, extracted: isRight ? 'A' : 'B', reason: 'as text' };
  return { text, tokens: 30, finish: 'stop', ...reward };
}
