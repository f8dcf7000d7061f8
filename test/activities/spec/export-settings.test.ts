/** Where metrics go, as specs and flags say it. */
import { validateSpec } from '../../../activities/spec/validate-spec.js';
import { exportSettingsOf } from '../../../infra/cli/export-flags.js';

const SPEC = { model: '/m', data: [{ type: 'jsonl', path: '/d' }], phases: [{ maxTokens: 10, steps: 1 }] };
const validated = (export_: unknown) => validateSpec({ ...SPEC, export: export_ });

test('a spec without trackers is as it was before there were any', () => {
  expect(Object.keys(validateSpec(SPEC))).not.toContain('export');
});

test('defaults are filled in, and validating twice changes nothing', () => {
  const spec = validated({ mlflow: { url: 'http://h:5000' }, trackio: { url: 'http://h:7860' } });
  expect(spec.export).toEqual({
    mlflow: { url: 'http://h:5000', experiment: 'longhaul' },
    trackio: { url: 'http://h:7860', project: 'longhaul' },
  });
  expect(validateSpec(spec)).toEqual(spec);
});

test.each([
  [{}, 'export: expected at least one of tensorboard, jsonl, mlflow, trackio'],
  [{ tensorbord: 'x' }, 'tensorbord'],
  [
    { mlflow: { url: 'localhost:5000' } },
    'export.mlflow.url: expected an address that begins with https:// or http://',
  ],
  [{ mlflow: { url: 'http://u:p@h' } }, 'come from the environment of the cpu worker'],
  [{ trackio: { url: 'http://h/?write_token=x' } }, 'come from the environment of the cpu worker'],
  [{ trackio: { url: 'http://h', project: 'a/b' } }, 'export.trackio.project: expected letters, digits'],
  [{ mlflow: { url: 'http://h', experiment: "it's" } }, 'export.mlflow.experiment: expected a name without quotes'],
])('%j is refused', (export_, message) => {
  expect(() => validated(export_)).toThrow(message);
});

test('flags come to the same settings, with paths made absolute', () => {
  expect(exportSettingsOf({})).toBeUndefined();
  expect(exportSettingsOf({ tensorboard: '/logs', mlflow: 'http://h', mlflowExperiment: 'e' })).toEqual({
    tensorboard: '/logs',
    mlflow: { url: 'http://h', experiment: 'e' },
  });
  expect(exportSettingsOf({ jsonl: 'x/{run}.jsonl' })?.jsonl).toBe(`${process.cwd()}/x/{run}.jsonl`);
  expect(() => exportSettingsOf({ mlflow: 'h' })).toThrow('--mlflow: expected an address');
  expect(() => exportSettingsOf({ trackio: 'http://h', trackioProject: 'a b' })).toThrow('--trackio-project: expected');
});
