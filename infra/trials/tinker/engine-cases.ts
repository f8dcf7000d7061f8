/** The table of cases and what a service refuses, on the real one. */
import { join } from 'node:path';
import { createEngine } from '../../../activities/engine/process/index.js';
import type { Engine, LossSettings, ServiceNeeds, TrainingService } from '../../../activities/engine/protocol/index.js';
import { createTinkerEngine } from '../../../activities/engine/tinker/index.js';
import { ENGINE_CASES, prepared } from './cases.js';
import type { Row } from './rows.js';
import type { SkyRl } from './skyrl.js';

export const LORA = { rank: 8, alpha: 32, targetModules: 'all-linear', rslora: false } as const;
const OPTIMIZER = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };
const LOSS: LossSettings = {
  algorithm: 'grpo',
  clipLow: 0.2,
  clipHigh: 0.2,
  temperature: 1,
  tokenMean: 'group',
  overlong: null,
};
/** Of the tiny model. */
const VOCABULARY = 195;

type Say = (line: string) => void;
type Service = Engine & TrainingService;

/** @param names of the cases; all of them unless told */
export async function engineCases(
  server: SkyRl,
  say: Say,
  names: readonly string[] = ENGINE_CASES.map(({ name }) => name),
): Promise<Row[]> {
  const { base, folder } = server.options;
  const own = createEngine({ threads: 1 });
  const engine = createTinkerEngine({
    url: server.url,
    keyVariable: null,
    environment: {},
    stateFolder: join(folder, 'client'),
  });
  try {
    const rows = await examined(engine, base, say);
    const setting = await prepared({
      ...{ engine, own, directory: base, served: base },
      ...{ lora: LORA, vocabularySize: VOCABULARY, folder: join(folder, 'saved-by-cases') },
    });
    for (const { name, bar, unit, measure } of ENGINE_CASES.filter(({ name }) => names.includes(name))) {
      const found = await measure(setting).catch((error: Error) => error);
      const seen = typeof found === 'number' ? shown(found) : found.message;
      const row = { what: name, bar: `${bar} (${unit})`, seen, holds: typeof found === 'number' && found <= bar };
      rows.push(told(row, say));
    }
    return rows;
  } finally {
    await Promise.all([own.close(), engine.close()]);
  }
}

/** A run that the service can do, and runs that it cannot: each is refused by the need that it lacks. */
async function examined(engine: Service, base: string, say: Say): Promise<Row[]> {
  const needs: ServiceNeeds = {
    ...{ model: base, adapter: LORA, contextLength: 64 },
    ...{ losses: [LOSS], optimizers: [OPTIMIZER], samplings: [] },
  };
  const { lacks, found, tolerance } = await engine.examine(needs);
  const promised = `${found}; steps made again promised within ${tolerance.toExponential(1)}`;
  const seen = lacks.length === 0 ? promised : problems(lacks);
  const rows = [told({ what: 'a run that it can do', bar: 'lacks nothing', seen, holds: lacks.length === 0 }, say)];
  for (const [what, wrong, need] of WRONG) {
    const report = await engine.examine({ ...needs, ...wrong });
    const holds = report.lacks.some(one => one.need === need);
    rows.push(told({ what, bar: `refused for ${need}`, seen: problems(report.lacks) || 'taken', holds }, say));
  }
  return rows;
}

const WRONG: readonly [string, Partial<ServiceNeeds>, keyof ServiceNeeds][] = [
  ['a model that it does not serve', { model: 'another/model' }, 'model'],
  ['a rank above its largest', { adapter: { ...LORA, rank: 512 } }, 'adapter'],
  ['another alpha', { adapter: { ...LORA, alpha: 8 } }, 'adapter'],
  ['all weights trained', { adapter: null }, 'adapter'],
  ['training at temperature 0.7', { losses: [{ ...LOSS, temperature: 0.7 }] }, 'losses'],
];

function told(row: Row, say: Say): Row {
  say(`${row.holds ? '' : 'DOES NOT HOLD  '}${row.what}: ${row.seen}`);
  return row;
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toExponential(1));

const problems = (lacks: { problem: string }[]): string => lacks.map(({ problem }) => problem).join('; ');
