import { join } from 'node:path';
import { validateEvaluation } from '../../../activities/spec/evaluation-spec.js';
import { missingFiles } from '../../../infra/specs/local-files.js';

const FIXTURES = join(__dirname, '../../fixtures');
const MODEL = join(FIXTURES, 'golden/qwen2');
const DATA = join(FIXTURES, 'datasets/musique.jsonl');

const missing = (model: object, paths: string[], over: object = {}) =>
  missingFiles(
    validateEvaluation({
      model,
      benchmarks: paths.map((path, k) => ({ name: `set-${k}`, source: { type: 'musique', path } })),
      ...over,
    }),
  );

test('what is there is no issue, and what is not on this machine is left alone', async () => {
  expect(await missing({ folder: MODEL }, [DATA, join(FIXTURES, 'datasets/mus*.jsonl')])).toEqual([]);
  expect(await missing({ folder: 'hf:a/b' }, ['hf:a/b/c.jsonl'], { tokenizer: 'hf:a/b' })).toEqual([]);
  expect(await missing({ run: 'a' }, [DATA])).toEqual([]);
});

test('missing data and folders that hold no model are named by the spec’s path', async () => {
  const found = await missing({ folder: FIXTURES }, [DATA, '/nowhere.jsonl'], { tokenizer: '/nowhere' });
  expect(found).toEqual([
    { path: 'model.folder', problem: expect.stringContaining('holds no config.json') },
    { path: 'tokenizer', problem: expect.stringContaining('holds no config.json') },
    { path: 'benchmarks[1].source.path', problem: expect.stringContaining('/nowhere.jsonl: expected a data file') },
  ]);
});
