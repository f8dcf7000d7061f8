/** What a service is found to do, of servers that differ in everything the protocol leaves open; and what is refused of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LORA, DEFAULT_OPTIMIZER, type ServiceNeeds } from '../../../../activities/engine/protocol/index';
import { createTinkerEngine } from '../../../../activities/engine/tinker/engine';
import { goldenFolder } from '../../../support/golden';
import { lossOf } from '../../../support/rollouts';
import { type Behaviour, SERVERS, TinkerServer } from '../../../support/tinker-server';

const directory = goldenFolder('llama');
const needs: ServiceNeeds = {
  model: 'base',
  adapter: { ...DEFAULT_LORA, rank: 4, targetModules: 'all-linear' },
  contextLength: 256,
  losses: [lossOf('grpo')],
  optimizers: [{ ...DEFAULT_OPTIMIZER, learningRate: 1e-3 }],
  samplings: [],
};

let first: TinkerServer;
let stateFolder: string;
beforeAll(async () => {
  first = await TinkerServer.start(directory);
});
afterAll(() => first.release());
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'tinker-'));
});
afterEach(() => rm(stateFolder, { recursive: true }));

async function examine(behaviour: Partial<Behaviour>, over: Partial<ServiceNeeds> = {}) {
  const server = await first.another(behaviour);
  const environment = { KEY: server.behaviour.key ?? '' };
  const keyVariable = server.behaviour.key === null ? null : 'KEY';
  const engine = createTinkerEngine({ url: server.url, keyVariable, environment, stateFolder, patience: 1 });
  try {
    return await engine.examine({ ...needs, ...over });
  } finally {
    await engine.close();
    await server.stop();
  }
}

test.each(Object.entries(SERVERS))('%s is found to do what it does', async (_name, behaviour) => {
  const report = await examine(behaviour);
  expect(report).toEqual({});
});
