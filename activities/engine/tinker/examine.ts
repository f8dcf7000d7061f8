/** What a run needs and the service lacks, need by need, before anything is spent. */
import { EngineRequestError, type ServedModel, type ServiceNeeds, type ServiceReport } from '../protocol/index.js';
import { type Meaning, meaningText } from './meaning.js';
import { adapterProblems } from './source.js';
import type { Service } from './wire/service.js';

/** The models that the service says it has; null of one that does not say. */
export async function servedModels(service: Service, signal: AbortSignal | undefined): Promise<ServedModel[] | null> {
  const { supported_models: models } = await service.ask('get_server_capabilities', undefined, { signal });
  if (!Array.isArray(models)) return null;
  return models.map(model => ({
    name: String(model?.model_name ?? model),
    contextLength: Number(model?.max_context_length) || null,
  }));
}

/** @throws EngineRequestError for a model that is not served, naming those that are */
export async function expectServed(
  service: Service,
  model: string,
  signal: AbortSignal | undefined,
): Promise<ServedModel | null> {
  const models = await servedModels(service, signal);
  if (models === null || models.length === 0) return null;
  const found = models.find(({ name }) => name === model);
  if (found) return found;
  throw new EngineRequestError(
    `${service.name} does not serve the model "${model}"; it serves ${models.map(({ name }) => `"${name}"`).join(', ')}`,
    'unsupported',
  );
}

type Need = ServiceReport['lacks'][number];

/** What tries the service, with models of a rank. */
export interface Trials {
  meaningOf(rank: number): Promise<Meaning>;
  /** Whether one model's weight decay reaches others. */
  decaysOthers(rank: number): Promise<boolean>;
  /** Why an older policy cannot be sampled from beside the training of a newer one; null: it can. */
  overlapProblem(rank: number, meaning: Meaning): Promise<string | null>;
}

export async function examined(
  service: Service,
  needs: ServiceNeeds,
  trials: Trials,
  signal: AbortSignal | undefined,
): Promise<ServiceReport> {
  const lacks: Need[] = [];
  const lack = (need: Need['need'], problem: string) => lacks.push({ need, problem });
  const report = (found: string, tolerance: number): ServiceReport => ({ lacks, found, tolerance });
  const served = await refusalAs('model', lack, () => expectServed(service, needs.model, signal));
  if (needs.adapter === null)
    lack(
      'adapter',
      `${service.name} is used to train adapters, and the run trains all weights: leave engine.lora out, or give it a rank`,
    );
  const limit = served?.contextLength ?? null;
  if (limit !== null && needs.contextLength > limit)
    lack(
      'contextLength',
      `${service.name} serves ${needs.model} with a context of ${limit} tokens, and the run needs ${needs.contextLength}`,
    );
  for (const temperature of temperatures(needs))
    lack(
      'losses',
      `temperature ${temperature}: a training service scores and trains at temperature 1; set rl.sampling.temperature to 1`,
    );
  if (served === undefined || needs.adapter === null) return report('not tried', 0);

  const { adapter } = needs;
  const meaning = await refusalAs('adapter', lack, () => trials.meaningOf(adapter.rank));
  if (!meaning) return report('not tried to the end', 0);
  for (const problem of adapterProblems(adapter, meaning)) lack('adapter', `${service.name} ${problem}`);
  const decays = needs.optimizers.some(({ weightDecay }) => weightDecay > 0);
  if (decays && (await refusalAs('optimizers', lack, () => trials.decaysOthers(adapter.rank))))
    lack(
      'optimizers',
      `on ${service.name} one model's weight decay shrinks all others: set optimizer.weightDecay to 0`,
    );
  if (needs.overlap) {
    const problem = await refusalAs('overlap', lack, () => trials.overlapProblem(adapter.rank, meaning));
    if (problem) lack('overlap', `${problem}: leave rl.overlap out`);
  }
  return report(meaningText(meaning), meaning.tolerance);
}

/** Of a refusal a lack; undefined then. */
async function refusalAs<T>(
  need: Need['need'],
  lack: (need: Need['need'], problem: string) => void,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    lack(need, error.message);
    return undefined;
  }
}

/** Other than 1, of losses. */
const temperatures = ({ losses }: ServiceNeeds): number[] => [
  ...new Set(losses.map(({ temperature }) => temperature || 1).filter(temperature => temperature !== 1)),
];
