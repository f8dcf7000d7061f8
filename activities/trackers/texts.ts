/** What is worth reading beside the numbers, as Markdown. What models and documents say is shown as text, never as markup. */
import { type PromptItem, readData, type ScoredRollouts, type UpdateRecord } from '../artifacts/index.js';
import type { EvaluationRow } from '../contract/index.js';
import type { RunPlan } from '../run/index.js';
import { readLines, type Store } from '../store/index.js';
import type { Settings } from './settings.js';

/** Of a step: so many groups, of each so many responses, of each its last so many characters, where the answer is. */
const GROUPS = 2;
const RESPONSES = 2;
const CHARACTERS = 1000;

export function settingsText(settings: Settings): string {
  const lines = Object.entries(settings).map(([path, value]) => `${path}: ${JSON.stringify(value)}`);
  return quoted(lines.join('\n'));
}

/** A row a set: score in percent, with its 95 % interval. */
export function evaluationText(rows: readonly EvaluationRow[]): string {
  return [
    '| policy | set | score % | 95 % interval | items | mean prompt tokens |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ policy, set, score, low, high, items, meanPromptTokens }) => {
      const cells = [policy, set, score.toFixed(1), `${low.toFixed(1)} to ${high.toFixed(1)}`];
      return `| ${[...cells, items, Math.round(meanPromptTokens)].join(' | ')} |`;
    }),
  ].join('\n');
}

/** The first groups of a step that taught something, else its first; null of a warm-up's step. */
export async function rolloutsText(store: Store, plan: RunPlan, record: UpdateRecord): Promise<string | null> {
  const [round] = record.inputs.rounds;
  if (!round) return null;
  const groups = await readLines<ScoredRollouts>(store, round.scores);
  const taught = groups.filter(({ dropped }) => dropped === null);
  const items = await readData<PromptItem>(store, plan.data.train);
  const shown = (taught.length > 0 ? taught : groups).slice(0, GROUPS);
  return shown.flatMap(group => groupText(group, items[group.index])).join('\n\n');
}

function groupText(group: ScoredRollouts, item: PromptItem | undefined): string[] {
  const mean = group.meanReward === null ? 'no rewards' : `mean reward ${group.meanReward.toFixed(3)}`;
  // The best and the worst say most.
  const byReward = [...group.responses].sort((a, b) => (b.reward ?? 0) - (a.reward ?? 0));
  const responses = byReward.length > RESPONSES ? [byReward[0]!, byReward.at(-1)!] : byReward;
  return [
    `**${group.id.replace(/[^\w.-]/g, ' ')}**, ${group.origin}, ${mean}`,
    ...(item ? [quoted(`${item.question}\nanswer: ${item.answers.join(' | ')}`)] : []),
    ...responses.flatMap(({ text, reward }) => [`reward ${reward ?? 'none'}:`, quoted(cut(text))]),
  ];
}

const cut = (text: string) => (text.length <= CHARACTERS ? text : `… ${text.slice(-CHARACTERS)}`);

/** As a block of code, whose fence is longer than any in the text. */
function quoted(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.trim()}\n${fence}`;
}
