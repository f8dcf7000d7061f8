/** The cases on a real training server, where `npm run trial -- tinker` has made its environment on this machine before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRESETS } from '../../../../infra/checkout';
import { engineCases } from '../../../../infra/trials/tinker/engine-cases';
import { installedEnvironment } from '../../../../infra/trials/tinker/environment';
import { serverCases } from '../../../../infra/trials/tinker/server-cases';
import { SkyRl } from '../../../../infra/trials/tinker/skyrl';

/** As long as the cases may take in all. */
jest.setTimeout(600_000);

const environment = installedEnvironment();

/** Of the table of cases those that rest on the server most; all of them take an hour on a busy machine. */
const TELLING = [
  'log-probabilities of sequences',
  'gradient of gspo with a KL term and an importance cap',
  'gradient of grpo, clipped to a tenth of its length',
  'log-probabilities of what was sampled',
];

(environment ? describe : describe.skip)('SkyRL 0.4', () => {
  let folder: string;
  let server: SkyRl;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-skyrl-'));
    server = await SkyRl.start({ environment: environment!, folder, base: join(PRESETS, 'tiny', 'base') });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  const silent = () => {};
  const failing = (rows: { holds: boolean }[]) => rows.filter(({ holds }) => !holds);

  test('gives what our own engine gives, and refuses what it cannot do', async () => {
    expect(failing(await engineCases(server, silent, TELLING))).toEqual([]);
  });

  test('does what the client knows it to do where one could think otherwise', async () => {
    expect(failing(await serverCases(server, silent))).toEqual([]);
  });
});
