import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readResult, writeResult } from '../../../infra/bench/result';
import { UserError } from '../../../infra/user-error';
import { measurement, resultOf } from './results';

describe('a stored result', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is read as it was written, in a folder made for it', async () => {
    const result = resultOf({
      a: { ours: measurement([1, 2, 3]), peers: { trl: measurement([10], null), compile: 'no compiler' } },
      b: { peers: {}, failure: 'lost' },
    });
    const path = join(folder, 'deep', 'result.json');
    await writeResult(path, result);
    expect(await readResult(path)).toEqual(result);
  });

  test.each([
    ['{"format": "another"}', 'format'],
    ['{', 'is no JSON'],
    [JSON.stringify({ ...resultOf({}), threads: 'two' }), 'threads'],
  ])('is refused naming file and place: %s', async (content, place) => {
    const path = join(folder, 'result.json');
    await writeFile(path, content);
    const error = await readResult(path).catch(e => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain(path);
    expect(error.message).toContain(place);
  });

  test('that does not exist is refused with what makes one', async () => {
    await expect(readResult(join(folder, 'none.json'))).rejects.toThrow('--save');
  });
});
