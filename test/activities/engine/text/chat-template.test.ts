/** What a chat template is given beside the messages: variables, a date that stays, and whether it opens <think>. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, type TemplateSettings } from '../../../../activities/engine/text/index';
import { goldenFolder } from '../../../support/golden';

/** Shaped as Qwen3's, Llama 3.2's and Granite's. */
const THINKING = `{%- for m in messages %}{{ m.role }}: {{ m.content }}|{% endfor %}
{%- if add_generation_prompt %}assistant: {% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}`;
const OPENING = THINKING.replace('{% endif %}{% endif %}', '{% else %}<think>\n{% endif %}{% endif %}');
const DATED = `{%- if strftime_now is defined %}{%- set today = strftime_now("%d %b %Y") %}{%- else %}{%- set today = "26 Jul 2024" %}{%- endif %}
{{- today }}|{% for m in messages %}{{ m.content }}{% endfor %}`;
const ALWAYS_DATED = `{{ strftime_now("%B %d, %Y (%A) %j %y %-d/%-m %F %%") }}|{% for m in messages %}{{ m.content }}|{% endfor %}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'template-'));
  await cp(goldenFolder('qwen2'), folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function opened(template: string) {
  await writeFile(join(folder, 'chat_template.jinja'), template);
  return loadTokenizer(folder);
}

async function rendered(template: string, settings: TemplateSettings = {}): Promise<string> {
  const tokenizer = await opened(template);
  const ids = tokenizer.renderChat([{ role: 'user', content: 'hello' }], { addGenerationPrompt: true, ...settings });
  return tokenizer.decode(ids);
}

describe('variables', () => {
  test('are read by name', async () => {
    expect(await rendered(THINKING)).toBe('user: hello|assistant: ');
    expect(await rendered(THINKING, { variables: { enable_thinking: false } })).toBe(
      'user: hello|assistant: <think>\n\n</think>\n\n',
    );
  });

  test('are values of any kind', async () => {
    const template =
      '{{ text }} {% if list is defined %}{{ list[1] }}{% endif %} {{ object.a.b }} {{ none is none }} {{ (number | default(0)) + 1 }} {{ nothing is none }}';
    const variables = { text: 'x', list: [1, 2], object: { a: { b: 'c' } }, number: 2, nothing: null };
    expect(await rendered(template, { variables })).toBe('x 2 c true 3 true');
  });

  test('that the template does not have are a mistake', async () => {
    await expect(rendered(THINKING, { variables: { enable_thinkng: false } })).rejects.toThrow(
      /chat_template\.jinja: the chat template uses no variable 'enable_thinkng'/,
    );
  });
});

describe('the date', () => {
  test.each<[string | undefined, string]>([
    [undefined, '26 Jul 2024|hello'],
    ['2025-03-09', '09 Mar 2025|hello'],
  ])('%s', async (date, text) => {
    expect(await rendered(DATED, { date })).toBe(text);
  });

  // By Python: datetime.date(…).strftime("%B %d, %Y (%A) %j %y %-d/%-m %F %%").
  test.each([
    ['2024-02-29', 'February 29, 2024 (Thursday) 060 24 29/2 2024-02-29 %|hello|'],
    ['2026-12-31', 'December 31, 2026 (Thursday) 365 26 31/12 2026-12-31 %|hello|'],
    ['0999-01-01', 'January 01, 0999 (Tuesday) 001 99 1/1 0999-01-01 %|hello|'],
  ])('%s where a template always asks', async (date, text) => {
    expect(await rendered(ALWAYS_DATED, { date })).toBe(text);
  });

  test('is missed by name where a template always asks', async () => {
    await expect(rendered(ALWAYS_DATED)).rejects.toThrow(
      /it asks for the date \(strftime_now\): give one that stays the same, as prompt\.date in the spec or by --template-date/,
    );
  });

  test('has no part that is made up', async () => {
    await expect(rendered('{{ strftime_now("%Q") }}', { date: '2025-01-01' })).rejects.toThrow(
      /strftime_now does not know %Q/,
    );
  });
});

describe('whether a response begins inside <think>', () => {
  const open = async (template: string, system: string | null, settings: TemplateSettings = {}) =>
    (await opened(template)).thinkingOpen({ system, ...settings });

  test.each<[string, string, TemplateSettings, boolean]>([
    ['a template that opens it', OPENING, {}, true],
    ['the same, thinking turned off', OPENING, { variables: { enable_thinking: false } }, false],
    ['one that leaves it to the model', THINKING, {}, false],
    ['one that closes it', THINKING, { variables: { enable_thinking: false } }, false],
  ])('%s', async (_, template, settings, expected) => {
    expect(await open(template, null, settings)).toBe(expected);
  });

  test('what a system message says of it does not count', async () => {
    expect(await open(THINKING, 'Reason inside <think> first.')).toBe(false);
    expect(await open(OPENING, 'Close it with </think>.')).toBe(true);
  });
});
