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

describe('the thread', () => {
  /** Ends by itself after 40,000 letters. */
  const SLOW = `${'{% for i in range(200) %}'.repeat(2)}x${'{% endfor %}'.repeat(2)}`;

  test('ends a template that takes longer than it may, and goes on', () => {
    const thread = new TemplateThread({ seconds: 0.02, megabytes: 64 });
    expect(() => thread.render(SLOW, {})).toThrow('it does not come to an end within 0.02 s and 64 MB');
    const patient = new TemplateThread({ seconds: 20, megabytes: 64 });
    expect(patient.render(SLOW, {})).toHaveLength(200 * 200);
    expect(patient.render('{{ a }}', { a: 'fine' })).toBe('fine');
  });

  /** A library of ours in the other's place: whatever a template might have that do, this does. */
  async function threadOf(render: string, limits = { seconds: 0.3, megabytes: 64 }): Promise<TemplateThread> {
    const library = join(folder, 'library.cjs');
    const fine = "if (values.a === 'fine') return values.a;";
    await writeFile(
      library,
      `exports.Template = class { parsed = { body: [] }; render(values) { ${fine} ${render} } };`,
    );
    return new TemplateThread(limits, library);
  }

  test.each([
    ['takes all the time there is', 'for (;;);', /within 0.3 s/],
    ['throws', "throw new Error('no');", /^no$/],
    ['throws what is no error', 'throw 7;', /^7$/],
    ['ends the thread', 'process.exit(3);', /within 0.3 s/],
  ])('outlives a library that %s', async (_, render, message) => {
    const thread = await threadOf(render);
    expect(() => thread.render('', {})).toThrow(message);
    expect(thread.render('', { a: 'fine' })).toBe('fine');
  });

  test('ends one that takes more memory than it may', async () => {
    const some = 'const all = []; while (all.length < 6000) all.push(new Array(1000).fill(0.5)); return "48 MB";';
    const thread = await threadOf(some, { seconds: 3, megabytes: 16 });
    expect(() => thread.render('', {})).toThrow('it does not come to an end within 3 s and 16 MB');
    expect(thread.render('', { a: 'fine' })).toBe('fine');
    expect((await threadOf(some, { seconds: 30, megabytes: 256 })).render('', {})).toBe('48 MB');
  });

  test('has nothing of the environment', async () => {
    expect(process.env.PATH).toBeDefined();
    expect((await threadOf('return JSON.stringify(process.env);')).render('', {})).toBe('{}');
  });
});

test('a template that refuses the messages is named by its file', async () => {
  await writeFile(join(folder, 'chat_template.jinja'), "{{ raise_exception('no system') }}");
  const template = await readChatTemplate(folder, undefined, {});
  const render = () => template!.render(MESSAGES, true);
  expect(render).toThrow(EngineRequestError);
  expect(render).toThrow(`${folder}/chat_template.jinja: the chat template refuses the messages: no system`);
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
      expect(error.message).not.toContain('come to an end');
      seen.refused++;
    }
  }
  expect(seen.refused).toBeGreaterThan(50);
  expect(seen.rendered).toBeGreaterThan(50);
});

test('one that is no template is refused', async () => {
  await writeFile(join(folder, 'chat_template.jinja'), '{{ (1 }}');
  await expect(readChatTemplate(folder, undefined, {})).rejects.toThrow(
    /chat_template\.jinja: the chat template cannot be parsed/,
  );
});
