/** A step's groups as text: what the page shows of them, for a terminal or a pipe. */
import type { groupOf } from '../../ui/group.js';
import type { stepPage } from '../../ui/step.js';
import type { Style } from '../../view/style.js';
import { harmless, wrap } from '../../view/text-width.js';

export type StepData = Awaited<ReturnType<typeof stepPage>>;
export type GroupRow = StepData['groups'][number];
export type GroupData = Awaited<ReturnType<typeof groupOf>>;
type ResponseData = GroupData['responses'][number];

export interface Laid {
  style: Style;
  /** Columns; without an end where the output is no terminal. */
  width: number;
  /** Prompts to their first word. */
  whole: boolean;
}

/** Which groups are wanted, by the page's own names for them. */
export const FILTERS: Record<string, (group: GroupRow) => boolean> = {
  all: () => true,
  trained: ({ isTrained }) => isTrained,
  mixed: ({ rewards }) => new Set(rewards).size > 1,
  right: ({ rewards }) => rewards.every(reward => reward !== null && reward >= 1),
  wrong: ({ rewards }) => rewards.every(reward => reward !== null && reward < 1),
  unscored: ({ dropped }) => dropped === 'unscored',
  carried: ({ origin }) => origin === 'carried',
};

/** Of a prompt, that much of its end is shown before it is unfolded: the question mostly. */
const SHOWN_END = 400;
const FATES = { 'no-variance': 'rewards all equal', unscored: 'unscored' } as const;

export function stepHead(
  { run, stage, attempt, step, skipped, settings, examples, counts, remarks }: StepData,
  style: Style,
): string[] {
  const title = style.strong(`${run}: ${stage}, step ${step}${attempt > 1 ? `, attempt ${attempt}` : ''}`);
  if (settings.kind === 'sft') return [title, `Supervised warm-up on ${examples} examples; it samples no responses.`];
  const { drawn, effective, carriedDrawn, unscored, trained, meanReward } = counts!;
  const parts = [
    `${settings.loss.algorithm}: ${drawn} groups drawn`,
    `${effective} whose rewards differ`,
    carriedDrawn > 0 ? `${carriedDrawn} carried over from earlier phases` : null,
    unscored > 0 ? `${unscored} unscored` : null,
    skipped ? 'skipped: too few could teach anything' : `${trained} trained on`,
    meanReward === null ? null : `mean reward ${short(meanReward)}`,
  ];
  return [title, parts.filter(part => part !== null).join(' · '), ...remarks];
}

/** @param place from 1, as `--question` takes it */
export function groupLine(place: number, group: GroupRow, style: Style): string {
  const { id, task, origin, dropped, isTrained, rewards, meanReward, reason } = group;
  const fate = isTrained ? 'trained on' : dropped ? FATES[dropped] : 'not needed';
  return [
    style.strong(String(place).padStart(3)),
    rewards.map(reward => chip(reward, style)).join(''),
    meanReward === null ? '–' : short(meanReward),
    harmless(id),
    ...(task ? [harmless(task)] : []),
    ...(origin === 'carried' ? ['carried'] : []),
    style.quiet(reason ? `${fate}: ${harmless(reason)}` : fate),
  ].join('  ');
}

/** Full, half and empty, so that they differ without colours too. */
function chip(reward: number | null, style: Style): string {
  if (reward === null) return style.quiet('·');
  if (reward >= 1) return style.good('●');
  return reward > 0 ? style.busy('◐') : style.bad('○');
}

export function groupText({ prompt, promptTokens, problems, responses }: GroupData, laid: Laid): string[] {
  const text = prompt?.map(part => part.text).join('\n\n');
  return [
    ...problems.map(problem => laid.style.bad(`    ${problem}`)),
    ...(text === undefined ? [] : promptLines(text, promptTokens, laid)),
    ...responses.flatMap((response, k) => responseLines(response, k + 1, laid)),
  ];
}

function promptLines(prompt: string, tokens: number, { style, width, whole }: Laid): string[] {
  const isFolded = !whole && prompt.length > SHOWN_END;
  const shown = isFolded ? `… ${prompt.slice(-SHOWN_END)}` : prompt;
  const what = `prompt, ${tokens} tokens${isFolded ? ', its end (--whole: all of it)' : ''}`;
  return [style.quiet(`    ${what}`), ...indented(shown, '    │ ', width)];
}

function responseLines(response: ResponseData, place: number, { style, width }: Laid): string[] {
  const { text, length, finish, reward, advantage, extracted, reason, rule, judge } = response;
  const worth = reward === undefined ? 'unscored' : `reward ${short(reward)}`;
  const tone = reward === undefined ? style.quiet : reward >= 1 ? style.good : reward > 0 ? style.busy : style.bad;
  const facts = [
    tone(worth),
    advantage === null ? null : `advantage ${advantage > 0 ? '+' : ''}${short(advantage)}`,
    `${length} tokens`,
    finish === 'length' ? 'cut at the limit' : null,
  ];
  const read = extracted == null ? '' : ` · read as ${JSON.stringify(extracted)}`;
  return [
    `    ${place}  ${facts.filter(fact => fact !== null).join(', ')}`,
    ...indented(text, '       ', width),
    ...(reason ? indented(`rule ${rule}: ${reason}${read}`, '       ↳ ', width) : []),
    ...(judge ? indented(`judge says ${judge.verdict}: ${judge.reply}`, '       ↳ ', width) : []),
  ];
}

const indented = (text: string, before: string, width: number): string[] =>
  wrap(harmless(text), Math.max(20, width - before.length)).map(line => `${before}${line}`.trimEnd());

const short = (value: number): string => String(Number(value.toFixed(3)));
