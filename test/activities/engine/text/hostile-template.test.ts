/** Chat templates are programs that come with a model: whatever one does, the worker goes on, and the file is named. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineRequestError } from '../../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../../activities/engine/random.js';
import { readChatTemplate } from '../../../../activities/engine/text/chat-template.js';
import { TemplateThread } from '../../../../activities/engine/text/template-thread.js';

jest.setTimeout(60_000);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-template-'));
});
afterEach(() => rm(folder, { recursive: true }));

const MESSAGES = [{ role: 'user', content: 'Who?' }];
const SOUND = `{% for message in messages %}{{ '<|' + message.role + '|>\\n' + message.content | trim }}
{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`;
const DOUBLED =
  '{% set ns = namespace(x=X) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}';

const HOSTILE: [string, string][] = [
  ['counts without end', '{% for i in range(1000000000000) %}x{% endfor %}'],
  ['counts to a thousand million', '{% for i in range(1000000000) %}x{% endfor %}'],
  ['has loops within loops', `${'{% for i in range(10000) %}'.repeat(4)}x${'{% endfor %}'.repeat(4)}`],
  ['calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
  ['doubles a text', DOUBLED.replace('X', "'xxxxxxxx'")],
  ['doubles a list', DOUBLED.replace('X', '[1, 2, 3, 4]')],
];

describe('the thread', () => {
  const thread = new TemplateThread({ seconds: 2, megabytes: 64 });

  test.each(HOSTILE)('outlives a template that %s', (_, source) => {
    expect(() => thread.render(source, {})).toThrow(/./);
    expect(thread.render('{{ a }}', { a: 'fine' })).toBe('fine');
  });

  test('knows nothing of the environment', () => {
    expect(() => thread.render("{{ ''.constructor.constructor('return process')().env }}", {})).toThrow();
  });
});

test('a template that takes too much is refused by its file', async () => {
  await writeFile(join(folder, 'chat_template.jinja'), HOSTILE[3]![1]);
  const template = await readChatTemplate(folder, undefined, {});
  const render = () => template!.render(MESSAGES, true);
  expect(render).toThrow(EngineRequestError);
  expect(render).toThrow(`${folder}/chat_template.jinja: the chat template refuses the messages: `);
});

test('each of 400 damaged templates is refused by its file, or renders', async () => {
  const seen = { refused: 0, rendered: 0 };
  const file = join(folder, 'chat_template.jinja');
  const piece = [
    '{%',
    '%}',
    '{{',
    '}}',
    "'",
    '(',
    ')',
    'range(99)',
    '|',
    'endfor',
    'for',
    '\\',
    '\u0000',
    '[',
    '.x',
    '-',
  ];
  for (let k = 0; k < 400; k++) {
    const random = randomStream('hostile template', k);
    const at = random.below(SOUND.length);
    const cut = random.below(3) * random.below(8);
    await writeFile(file, SOUND.slice(0, at) + piece[random.below(piece.length)] + SOUND.slice(at + cut));
    try {
      (await readChatTemplate(folder, undefined, {}))!.render(MESSAGES, true);
      seen.rendered++;
    } catch (error) {
      if (!(error instanceof EngineRequestError)) throw new Error(`damage ${k}: ${(error as Error).stack}`);
      expect(error.message).toContain(file);
      seen.refused++;
    }
  }
  expect(seen.refused).toBeGreaterThan(50);
  expect(seen.rendered).toBeGreaterThan(50);
});

test('nested deeply, it is refused', async () => {
  await writeFile(join(folder, 'chat_template.jinja'), `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`);
  await expect(readChatTemplate(folder, undefined, {})).rejects.toThrow(
    /chat_template\.jinja: the chat template cannot be parsed/,
  );
});
