/**
 * What endpoints answer, against what becomes of it, for each of who ask them; and the page about it.
 * WRITE_DOCS=1 writes the page.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askAll } from '../../../activities/remote/ask-all.js';
import { createChatClient } from '../../../activities/remote/chat.js';
import { EndpointRefusedError } from '../../../activities/remote/errors.js';
import { CAUSES } from '../../../activities/remote/outcomes.js';
import { leastTokens, seemsCut } from '../../../activities/remote/prompt-size.js';
import { chatSchema } from '../../../activities/remote/settings.js';
import { createRewarder } from '../../../activities/rewards/reward.js';
import { rewardSchema } from '../../../activities/rewards/settings.js';
import { FolderStore } from '../../../activities/store/index.js';
import type { EndpointCase, Provider } from '../../support/endpoints/answers.js';
import * as hosted from '../../support/endpoints/hosted.js';
import * as local from '../../support/endpoints/local.js';
import * as openModels from '../../support/endpoints/open-models.js';
import { FakeChat, hastyClock } from '../../support/fake-chat.js';

const PAGE = join(__dirname, '../../../docs/endpoints.md');
const COMMAND = 'WRITE_DOCS=1 npm test -- test/activities/remote/endpoints.test.ts';
const PROVIDERS: Provider[] = [local, openModels, hosted].flatMap(file => Object.values(file));
const KEY = 'sk-proj-0123456789abcdef';
const LONG = 'много слов длинного вопроса '.repeat(1600);

let fake: FakeChat;
let folder: string;
beforeEach(async () => {
  fake = await new FakeChat().start();
  folder = await mkdtemp(join(tmpdir(), 'longhaul-endpoints-'));
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const environment = { CHAT_KEY: KEY };

let prepared = 0;

/** Lets the endpoint answer as the case has it. */
function prepare({ answers, settings }: EndpointCase) {
  fake.next = answers.slice(0, -1);
  fake.always = answers.at(-1)!;
  return { url: `${fake.url}/${++prepared}`, model: 'm', retrySeconds: 20, concurrency: 1, ...settings };
}

/** What happened before, by the requests: the same again, or another. */
function before(last: string): string {
  const bodies = fake.requests.map(({ body }) => JSON.stringify(body));
  if (bodies.length <= 1) return last;
  return `${new Set(bodies).size > 1 ? 'put otherwise' : 'asked again'}, then ${last}`;
}

/** Tries that came to nothing are no news of a question that is left out. */
const leftOut = (isBounded: boolean) => (isBounded ? 'left out, counted' : before('left out, counted'));

function refused(error: unknown): string {
  if (!(error instanceof EndpointRefusedError)) throw error;
  const advice = Object.values(CAUSES)
    .map(({ advice }) => advice?.({ url: '', keyVariable: 'CHAT_KEY', field: fieldIn(error.message) }))
    .find(advice => advice !== undefined && error.message.endsWith(advice))!;
  const short = SHORT.find(part => advice.includes(part)) ?? advice.replace(/^Take it out: /, '');
  return before(`refused: ${short.replace(/\.$/, '')}${error.mendedIn === 'environment' ? '; waits' : ''}`);
}
const SHORT = ['top it up, and the work goes on', 'keyHeader (Azure: api-key)'];
const fieldIn = (message: string) => /extra: \{"(\w+)": null\}/.exec(message)?.[1];

async function asJudge(one: EndpointCase): Promise<string> {
  const settings = rewardSchema.parse({ judge: prepare(one) });
  const rewarder = createRewarder(settings, { store: new FolderStore(folder), environment, clock: hastyClock() });
  const question = one.isLong ? LONG : 'Where?';
  const group = {
    id: 's',
    task: 'docqa' as const,
    question,
    answers: [one.isLong ? LONG : 'Paris'],
    responses: ['The answer is Rome.'],
  };
  try {
    const { groups } = await rewarder.reward([group], { signal, note: () => {} });
    const [{ rewards, ...rest }] = groups as [(typeof groups)[0]];
    if (rewards) return before('answered');
    return leftOut(!/tries over|expected \[\[YES/.test((rest as { unscored: string }).unscored));
  } catch (error) {
    return refused(error);
  }
}

async function asEvaluation(one: EndpointCase): Promise<string> {
  const client = createChatClient(chatSchema.parse(prepare(one)), environment, hastyClock());
  const content = one.isLong ? LONG : 'Where?';
  const request = { messages: [{ role: 'user' as const, content }], temperature: 0.7, topP: 0.95, maxTokens: 100 };
  const questions = [{ request, place: { scope: 'e', index: 0 } }];
  try {
    const { answers } = await askAll(new FolderStore(folder), client, questions, { signal, tokenBudget: null });
    const [answer] = answers as [(typeof answers)[0]];
    if (answer.reply === null) return answer.lasting ? leftOut(true) : before('waited for');
    const isCut = seemsCut(answer.reply.usage.promptTokens, null, leastTokens([content]));
    const marks = `${answer.reply.finish === 'length' ? ', cut off' : ''}${isCut ? ', with a warning' : ''}`;
    return before(`answered${marks}`);
  } catch (error) {
    return refused(error);
  }
}

describe.each(PROVIDERS.map(({ name, cases }) => [name, cases] as const))('%s', (_, cases) => {
  test.each(cases.map(one => [one.does, one] as const))('%s', async (_, one) => {
    const found = { judge: await asJudge(one), evaluation: '' };
    fake.requests = [];
    found.evaluation = await asEvaluation(one);
    expect(found).toEqual({ judge: one.judge, evaluation: one.evaluation });
  });
});

test('the page says the same', async () => {
  const page = pageOf(PROVIDERS);
  if (process.env.WRITE_DOCS === '1') await writeFile(PAGE, page);
  const written = await readFile(PAGE, 'utf8').catch(() => '');
  if (written !== page) throw new Error(`docs/endpoints.md is stale; write it again: ${COMMAND}`);
});

const SETTINGS = [
  '## Settings',
  '',
  'Judges and remote models take these; the `url` of a custom reward takes those that are not about chats.',
  '',
  '| setting | for |',
  '| --- | --- |',
  "| `keyVariable`, `keyHeader` | the workers' environment variable that holds the key, and the header that it goes in where that is not `Authorization: Bearer`: Azure takes `api-key` |",
  '| `headers` | further headers, by the names of the environment variables that hold them |',
  '| `stream` | true for models that answer in pieces alone, or think for longer than something on the way waits |',
  '| `extra` | further fields of the request; null takes one out. A `topP` of 1 is not sent |',
  '| `maxTokensField` | the name of the limit of a reply; where the endpoint asks for the other one it is learnt |',
  '| `timeoutSeconds` | for a whole reply, or the silence between two pieces: 600, or what `maxNewTokens` take at 10 a second |',
  '| `retrySeconds` | how long a question is tried again |',
  '',
  '`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the workers hold for endpoints, for the webhook and for `hf:`',
  'downloads. With `HF_ENDPOINT` at a mirror, or `HF_HUB_DISABLE_XET=1`, files come without Xet.',
  '',
];

function pageOf(providers: readonly Provider[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const row = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const table = (heads: string[], rows: string[][]) => [
    row(heads),
    `|${' --- |'.repeat(heads.length)}`,
    ...rows.map(row),
  ];
  const causes = Object.entries(CAUSES).map(([name, { means, outcome, atMost, mendedIn, advice }]) => [
    name,
    means,
    `${outcome}${atMost ? `, ${atMost} tries, then left out` : ''}${outcome === 'refused' && mendedIn === 'environment' ? ', waits' : ''}`,
    advice?.({ url: '<url>', keyVariable: '<keyVariable>', field: '<field>' }) ?? '',
  ]);
  return [
    '# Endpoints: what they answer, and what becomes of it',
    '',
    '```sh',
    COMMAND,
    '```',
    '',
    'asks made-up endpoints, each of which answers as documentation and threads of one provider have it, and writes this page.',
    'The same test fails where the page is not what it finds.',
    '',
    ...SETTINGS,
    '## Why no answer came',
    '',
    'again: within `retrySeconds`, later each time or when the endpoint says; a judge that stays away leaves the group out, a',
    'remote model is waited for. otherwise: at once, put differently. left out: that question alone, counted; others go on.',
    'refused: nobody is asked further until the setting is changed; where it *waits*, the same work goes on by itself once it is.',
    'The rules by which an error is recognised: `activities/remote/refusals.ts`; the table: `activities/remote/outcomes.ts`.',
    '',
    ...table(['cause', 'means', 'outcome', 'advice'], causes),
    '',
    '## By endpoint',
    '',
    'Made-up endpoints that answer as documentation and threads have it.',
    '',
    ...providers.flatMap(({ name, cases }) => [
      `### ${name}`,
      '',
      ...table(
        ['it answers', 'settings', 'as judge', 'as remote model', 'source'],
        cases.map(({ does, settings, judge, evaluation, source }) => [
          does,
          settings ? `\`${JSON.stringify(settings)}\`` : '',
          judge,
          evaluation,
          source,
        ]),
      ),
      '',
    ]),
  ].join('\n');
}
