/**
 * What a spec means never changes: presets, and specs that runs of earlier versions began with, are valid and come to the
 * same bytes. test/fixtures/specs/ has them as version 0.3.0 validated them. A difference here is a run under way that an
 * upgrade would make another.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { validateSpec } from '../../../activities/spec/validate-spec.js';
import { CHECKOUT } from '../../../infra/checkout.js';
import { loadSpec } from '../../../infra/specs/spec-files.js';

const SPECS = join(__dirname, '../../fixtures/specs');
const HISTORIES = join(__dirname, '../../fixtures/histories');

test.each([
  ['tiny', 'tiny'],
  ['smollm2-hotpotqa', 'smollm2-hotpotqa'],
  ['small', join(CHECKOUT, 'infra/chaos/small.yaml')],
])('%s', async (name, nameOrFile) => {
  const { spec } = await loadSpec(nameOrFile, [], '/');
  const text = JSON.stringify(spec, null, 1).replaceAll(`${CHECKOUT}/`, '');
  expect(`${text}\n`).toBe(await readFile(join(SPECS, `${name}.json`), 'utf8'));
});

interface Recorded {
  /** The history of a run's workflow, in test/fixtures/histories/. */
  recorded: string;
  validated: unknown;
}

test('specs of recorded runs, as written and as stored', async () => {
  const all = JSON.parse(await readFile(join(SPECS, 'recorded.json'), 'utf8')) as Recorded[];
  expect(all.map(({ recorded }) => recorded)).toEqual([
    '0.1.0/run.json',
    '0.2.0/run.json',
    '0.3.0/judged.json',
    '0.3.0/run.json',
  ]);
  for (const { recorded, validated } of all) {
    const written = await inputOf(join(HISTORIES, recorded));
    expect(JSON.stringify(validateSpec(written))).toBe(JSON.stringify(validated, withoutLimit));
    expect(validateSpec(validated)).toEqual(validated);
  }
});

/** How long an endpoint is waited for was a number by default, and is left open since: no run is another by it. */
const withoutLimit = (key: string, value: unknown) => (key === 'timeoutSeconds' ? undefined : value);

/** What the workflow of a history was started with. */
async function inputOf(history: string): Promise<unknown> {
  const { events } = JSON.parse(await readFile(history, 'utf8'));
  const [payload] = events[0].workflowExecutionStartedEventAttributes.input.payloads;
  return JSON.parse(Buffer.from(payload.data, 'base64').toString());
}
