/** Of a prompt as rendered: whether it ends inside <think>, by the template and not by what a document says. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateSpec } from '../../../activities/spec/index';
import { createPrompter } from '../../../activities/text/index';
import { openTextModel } from '../../../activities/text/models';
import { goldenFolder } from '../../support/golden';
import { smallSpec } from '../../support/small-run';

const OPENING =
  '{%- for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{%- endfor %}' +
  '{%- if add_generation_prompt %}<|im_start|>assistant\n' +
  '{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}{%- endif %}';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prompter-'));
  await cp(goldenFolder('qwen2'), folder, { recursive: true });
  await writeFile(join(folder, 'chat_template.jinja'), OPENING);
});
afterEach(() => rm(folder, { recursive: true }));

async function prompted(settings: object, text = 'It is five.') {
  const { prompt } = validateSpec({ ...smallSpec('/data'), prompt: settings });
  const model = await openTextModel(folder);
  const documents = [{ title: null, text }];
  const sample = { id: 'a', task: 'docqa', question: 'Which?', answers: ['5'], documents, trace: null, template: null };
  return createPrompter(prompt, model).prompt(sample as never, 500)!;
}

test.each<[string, object, true | undefined]>([
  ['a chat whose template opens it', {}, true],
  ['the same, thinking turned off', { variables: { enable_thinking: false } }, undefined],
  ['no chat', { chat: false }, undefined],
  ['no chat, and a prompt that opens it', { chat: false, template: '{document} {question}\n<think>\n' }, true],
])('%s', async (_, settings, expected) => {
  const found = await prompted(settings);
  expect(found.thinkingOpen).toBe(expected);
  expect('thinkingOpen' in found).toBe(expected === true);
});

test('a document that speaks of <think> opens nothing', async () => {
  expect(
    (await prompted({ variables: { enable_thinking: false } }, 'Then <think> of it.')).thinkingOpen,
  ).toBeUndefined();
  expect((await prompted({}, 'Then </think> of it.')).thinkingOpen).toBe(true);
});
