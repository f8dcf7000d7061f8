/** Archives of services: read strictly, and what they leave unsaid taken from the tensors. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readConfig } from '../../../../activities/engine/folders/index';
import { initialAdapter } from '../../../../activities/engine/model/index';
import { DEFAULT_LORA } from '../../../../activities/engine/protocol/index';
import { adapterOf } from '../../../../activities/engine/tinker/adapter';
import { filesOf } from '../../../../activities/engine/tinker/archive';
import { goldenFolder } from '../../../support/golden';
import { member, packedAdapter } from '../../../support/tinker-server/archive';

const END = Buffer.alloc(1024);
const tar = (...members: Buffer[]): Buffer => Buffer.concat([...members, END]);
const text = (name: string, content = name): Buffer => member(name, Buffer.from(content));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['gzipped, with the folder / first', gzipSync(tar(member('/', null), text('./a', 'one'), text('b', 'two')))],
  ['plain', tar(text('a', 'one'), text('b', 'two'), text('c'))],
])('%s: the wanted files, as bytes', async (_how, archive) => {
  const files = await filesOf(archive, ['a', 'b'], 'it');
  expect([...files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
    ['a', 'one'],
    ['b', 'two'],
  ]);
});

test('what tar itself packs', async () => {
  const content = 'x'.repeat(1500);
  await writeFile(join(folder, 'a'), content);
  for (const format of ['ustar', 'pax', 'gnu']) {
    const archive = execFileSync('tar', ['-cz', `--format=${format}`, '-C', folder, './a']);
    expect((await filesOf(archive, ['a'], 'it')).get('a')!.toString()).toBe(content);
  }
});

test.each<[string, Buffer, RegExp]>([
  ['no archive', Buffer.from('Not here'), /it: holds no a; expected a tar archive/],
  ['a damaged header', Buffer.concat([text('a').fill('y', 0, 1), END]), /header at byte 0 is damaged/],
  ['one that was cut off', tar(text('a', 'x'.repeat(900))).subarray(0, 1024), /ends within 'a'/],
  ['a link', tar(member('a', null, '2')), /'a' is a link or a device/],
  ['a file twice', tar(text('a'), text('./a')), /holds 'a' twice/],
  ['a file in a folder of that name', tar(text('b/a')), /holds no a/],
  ['gzip that was cut off', gzipSync(tar(text('a'))).subarray(0, 40), /cannot be unpacked/],
])('%s is refused', async (_what, archive, message) => {
  await expect(filesOf(archive, ['a'], 'it')).rejects.toThrow(message);
});

test.each([true, false])('an adapter whose configuration names no layers (%s) is whole', async namesNoLayers => {
  const { config } = await readConfig(goldenFolder('llama'));
  const adapter = initialAdapter(config, { settings: { ...DEFAULT_LORA, rank: 2 }, seed: 1, baseModel: null });
  const archive = await packedAdapter(adapter, namesNoLayers);
  const read = await adapterOf(archive, { folder, what: 'it' }, { config, name: 'Llama' });
  expect(read.tensors).toEqual(adapter.tensors);
  expect(read.settings.targetModules).toEqual([...DEFAULT_LORA.targetModules].sort());
  expect([read.settings.rank, read.settings.alpha, read.baseModel]).toEqual([2, 32, 'Llama']);
});
