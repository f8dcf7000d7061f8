/** Records of the engine commands as people and servers write them, and what is told of those that are refused. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer } from '../../../../activities/engine/text/tokenizer.js';
import { exampleIds, exampleRecord, promptIds, promptRecord } from '../../../../infra/cli/engine/records.js';
import type { ModelSession } from '../../../../infra/cli/engine/session.js';
import { placed, readLines } from '../../../../infra/cli/json-lines.js';
import { goldenFolder } from '../../../support/golden.js';

/** As Qwen3's: thinking beside the content or within it is written before it, calls of tools after it. */
const THINKING_TEMPLATE = `
{%- if tools %}{{ '<|im_start|>tools ' + (tools | tojson) + '<|im_end|>\\n' }}{% endif %}
{%- for m in messages %}
{{- '<|im_start|>' + m.role + '\\n' }}
{%- if m.reasoning_content %}{{ '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}{% endif %}
{%- if m.content %}{{ m.content }}{% endif %}
{%- for call in m.tool_calls or [] %}{{ '<tool_call>' + call.function.name + '</tool_call>' }}{% endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

let folder: string;
let plain: Tokenizer;
let thinking: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-records-'));
  await cp(goldenFolder('qwen2'), join(folder, 'thinking'), { recursive: true });
  await writeFile(join(folder, 'thinking', 'chat_template.jinja'), THINKING_TEMPLATE);
  plain = await loadTokenizer(goldenFolder('qwen2'));
  thinking = await loadTokenizer(join(folder, 'thinking'));
});
afterAll(() => rm(folder, { recursive: true }));

const sessionOf = (tokenizer: Tokenizer) => ({ tokenizer: () => Promise.resolve(tokenizer) }) as ModelSession;

async function example(tokenizer: Tokenizer, record: object): Promise<{ prompt: string; response: string }> {
  const file = join(folder, 'in.jsonl');
  await writeFile(file, `\n${JSON.stringify(record)}\n`);
  for await (const { place, record } of readLines(file, exampleRecord)) {
    const ids = await placed(place, () => exampleIds(record, sessionOf(tokenizer)));
    return { prompt: tokenizer.decode(ids.promptIds), response: tokenizer.decode(ids.responseIds) };
  }
  throw new Error('no record');
}

const user = { role: 'user', content: 'Where?' };
const reply = { role: 'assistant', content: 'Paris' };
const call = { type: 'function', function: { name: 'look', arguments: '{}' } };

describe('what a chat teaches', () => {
  test.each<[string, object, string]>([
    ['a reply', { messages: [user, reply] }, 'Paris<|im_end|>'],
    [
      'the thinking beside it',
      { messages: [user, { ...reply, reasoning_content: 'The text says so.' }] },
      '<think>\nThe text says so.\n</think>\n\nParis<|im_end|>',
    ],
    [
      'thinking that is not there',
      { messages: [user, { ...reply, reasoning_content: null, name: null }] },
      'Paris<|im_end|>',
    ],
    ['thinking that is empty', { messages: [user, { ...reply, reasoning: '', thinking: ' ' }] }, 'Paris<|im_end|>'],
    ['a part', { messages: [user, { ...reply, content: [{ type: 'text', text: 'Paris' }] }] }, 'Paris<|im_end|>'],
    [
      'parts',
      { messages: [user, { ...reply, content: ['It is', { type: 'text', text: 'Paris' }] }] },
      'It is\nParis<|im_end|>',
    ],
    [
      'a call of a tool',
      { messages: [user, { role: 'assistant', content: null, tool_calls: [call] }], tools: [] },
      '<tool_call>look</tool_call><|im_end|>',
    ],
    ['null for the other form', { prompt_ids: null, messages: [user, reply] }, 'Paris<|im_end|>'],
  ])('%s', async (_, record, response) => {
    expect((await example(thinking, record)).response).toBe(response);
  });

  test('tools and the system message reach the prompt', async () => {
    const messages = [{ role: 'system', content: 'Be brief.' }, user, reply];
    const { prompt } = await example(thinking, { messages, tools: [{ type: 'function', function: { name: 'look' } }] });
    expect(prompt).toMatch(/^<\|im_start\|>tools .*"look".*<\|im_end\|>\n<\|im_start\|>system\nBe brief\./);
  });
});

describe('what is refused, by file, line and field', () => {
  test.each<[string, object, RegExp]>([
    [
      'thinking that the template leaves out',
      { messages: [user, { ...reply, reasoning_content: 'The text says so.' }] },
      /in\.jsonl:2: messages\.1\.reasoning_content: the model's chat template leaves it out/,
    ],
    [
      'the same under other names',
      { messages: [user, { ...reply, thinking: 'The text says so.' }] },
      /in\.jsonl:2: messages\.1\.thinking: /,
    ],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }, reply] },
      /in\.jsonl:2: messages\.0\.content\.0: expected a part of text/,
    ],
    [
      'no content',
      { messages: [user, { role: 'assistant', content: null }] },
      /in\.jsonl:2: messages\.1\.content: expected a text/,
    ],
    [
      'a number for a content',
      { messages: [user, { role: 'assistant', content: 3 }] },
      /messages\.1\.content: expected a text, or a list of parts/,
    ],
    ['nobody’s message', { messages: [user, { content: 'x' }] }, /in\.jsonl:2: messages\.1\.role: /],
    ['a question for a reply', { messages: [reply, user] }, /in\.jsonl:2: the last of 2 messages is from "user"/],
    ['a list for a record', [], /in\.jsonl:2: the record: expected \{"prompt_ids"/],
    ['one form half', { prompt_ids: [1] }, /in\.jsonl:2: response_ids: expected a list, found nothing/],
    [
      'two forms',
      { prompt_ids: [1], response_ids: [2], messages: [user, reply] },
      /found both "prompt_ids" and "messages"/,
    ],
    ['a slip', { mesages: [user, reply] }, /there is "mesages", did you mean "messages"\?/],
    ['a slip beside', { prompt_ids: [1], respons_ids: [2] }, /there is "respons_ids", did you mean "response_ids"\?/],
  ])('%s', async (_, record, message) => {
    await expect(example(plain, record)).rejects.toThrow(message);
  });

  test('messages that the template itself refuses', async () => {
    const messages = [user, { role: 'assistant', content: null, tool_calls: [call] }];
    await expect(example(plain, { messages })).rejects.toThrow(/in\.jsonl:2: .*the chat template refuses the messages/);
  });

  test('bytes that are no text, and a folder', async () => {
    const all = async (path: string) => {
      for await (const { record } of readLines(path, promptRecord)) await promptIds(record, sessionOf(plain));
    };
    const file = join(folder, 'latin.jsonl');
    await writeFile(file, Buffer.from('{"text": "caf\xe9"}', 'latin1'));
    await expect(all(file)).rejects.toThrow(/latin\.jsonl: expected text in UTF-8/);
    await expect(all(folder)).rejects.toThrow(/is a folder; expected a file of JSON lines/);
  });
});
