/** The table of cases on stand-ins of every kind: our own engine and the service's give the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LORA } from '../../../../activities/engine/protocol/index';
import { createTinkerEngine } from '../../../../activities/engine/tinker/engine';
import { ENGINE_CASES, type PreparedSetting, prepared } from '../../../../infra/trials/tinker/cases';
import { goldenFolder } from '../../../support/golden';
import { ownEngine } from '../../../support/own-engine';
import { type Behaviour, SERVERS, TinkerServer } from '../../../support/tinker-server';

jest.setTimeout(300_000);

const directory = goldenFolder('llama');
let first: TinkerServer;
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());

/** What depends on how a server differs; all the others are our own doing. */
const TELLING = [
  'gradient of the likelihood',
  'gradient of gspo with a KL term and an importance cap',
  'gradient of grpo, clipped to a tenth of its length',
  'three steps of Adam',
  'log-probabilities of what was sampled',
  'responses that go on behind an end token, or have none and are short',
  'saved and loaded, one more step with the optimiser',
];

describe.each(Object.entries<Behaviour>(SERVERS))('%s', (name, behaviour) => {
  let server: TinkerServer;
  let folder: string;
  let setting: PreparedSetting;
  beforeAll(async () => {
    server = await first.another(behaviour);
    folder = await mkdtemp(join(tmpdir(), 'tinker-cases-'));
    const engine = createTinkerEngine({
      url: server.url,
      keyVariable: behaviour.key === null ? null : 'KEY',
      environment: { KEY: behaviour.key ?? '' },
      stateFolder: join(folder, 'state'),
    });
    const lora = { ...DEFAULT_LORA, rank: 4 };
    setting = await prepared({
      engine,
      own: ownEngine(),
      directory,
      served: 'base',
      lora,
      vocabularySize: 320,
      folder,
    });
  });
  afterAll(async () => {
    await setting.engine.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const rows = ENGINE_CASES.filter(row => name === 'SkyRL' || TELLING.includes(row.name));
  test.each(rows.map(row => [row.name, row] as const))('%s', async (_title, { bar, measure }) => {
    expect(await measure(setting)).toBeLessThanOrEqual(bar);
  });
});
