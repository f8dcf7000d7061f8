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

const directory = goldenFolder('llama');
let first: TinkerServer;
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());

describe.each(Object.entries<Behaviour>(SERVERS))('%s', (_name, behaviour) => {
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

  test.each(ENGINE_CASES.map(row => [row.name, row] as const))('%s', async (_title, { bar, measure }) => {
    expect(await measure(setting)).toBeLessThanOrEqual(bar);
  });
});
