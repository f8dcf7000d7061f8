/** What work with one policy on a service does to another: found out on models of their own, where a run needs it. */
import { EngineLostError, EngineRequestError } from '../protocol/index.js';
import { distance } from './held-model.js';
import { type NewModel, NO_STEP } from './models.js';
import type { RemoteModel } from './remote-model.js';
import { askSamples } from './samples.js';
import { COUNTED, only, SAME, SAME_LOGPROB, SAMPLED, type TrialContext } from './trial.js';
import type { SampledSequence } from './wire/messages.js';
import { ServiceAwayError } from './wire/outcomes.js';

/** Of a step that moves log-probabilities far. */
const WATCHED_RATE = 0.05;

async function gradient(model: RemoteModel): Promise<void> {
  const logprobs = only(await model.forward([COUNTED]));
  const advantages = new Float32Array(logprobs.length).fill(1);
  await model.gradient([[{ tokens: COUNTED, inputs: { logprobs, advantages } }]]);
}

async function farStep(model: RemoteModel): Promise<void> {
  await gradient(model);
  await model.optimStep({ ...NO_STEP, learning_rate: WATCHED_RATE });
}

/**
 * Whether a step's weight decay on one model shrinks others: found on two models of their own.
 * @throws EngineRequestError where there is no room for two
 */
export function decaysOthers({ models, signal }: TrialContext, base: Omit<NewModel, 'seed'>): Promise<boolean> {
  const model = { ...base, seed: 1 };
  return models.borrow(model, signal, watched =>
    models.borrow(model, signal, async stepped => {
      // A fresh adapter does nothing, shrunken or not.
      await farStep(watched);
      const before = only(await watched.forward([COUNTED]));
      await stepped.optimStep({ ...NO_STEP, learning_rate: 1, weight_decay: 0.5 });
      return distance(before, only(await watched.forward([COUNTED]))) > SAME_LOGPROB;
    }),
  );
}

/**
 * Why a policy cannot be sampled from while the next one is made of it, or once its own model is unloaded, as where a worker
 * is started again; null: it can be.
 * @param normMetric of optim_step that is the gradient's norm
 */
export async function overlapProblem(
  context: TrialContext,
  base: Omit<NewModel, 'seed'>,
  normMetric: string,
): Promise<string | null> {
  const { service, models, signal } = context;
  const { id, older, problem } = await models.borrow({ ...base, seed: 1 }, signal, async model => {
    await farStep(model);
    const older = await model.save('save_weights_for_sampler');
    await farStep(model);
    return { id: model.id, older, problem: await besideTraining(context, model, older, normMetric) };
  });
  try {
    if (problem !== null) return problem;
    await sampleFrom(context, older);
    return null;
  } catch (error) {
    return refusalOf(error, `${service.name} samples from no policy whose model ${id} is unloaded`);
  } finally {
    await models.forget(older, 'sampler_weights');
  }
}

/** @param older what was saved of a model before its last step */
async function besideTraining(
  context: TrialContext,
  model: RemoteModel,
  older: string,
  normMetric: string,
): Promise<string | null> {
  const { name } = context.service;
  await gradient(model);
  const norm = (await model.optimStep(NO_STEP))[normMetric]!;
  const before = only(await model.forward([COUNTED]));
  await gradient(model);
  let sampled: SampledSequence;
  try {
    sampled = await sampleFrom(context, older);
  } catch (error) {
    return refusalOf(error, `${name} samples from no policy but the newest`);
  }
  const [after, newer] = await model.forward([COUNTED, [...COUNTED, ...sampled.tokens]]);
  if (distance(before, after!) > SAME_LOGPROB)
    return `on ${name} sampling from an older policy puts its weights into the one that is trained`;
  if (distance(newer!.slice(COUNTED.length - 1), sampled.logprobs) < SAME_LOGPROB)
    return `${name} samples from the newest policy where an older one is asked for`;
  const disturbed = (await model.optimStep(NO_STEP))[normMetric]!;
  if (Math.abs(disturbed / norm - 1) > SAME)
    return `on ${name} sampling between a gradient and its step changes the gradient: its norm is ${disturbed.toPrecision(3)}, and without ${norm.toPrecision(3)}`;
  return null;
}

const sampleFrom = async ({ service, signal }: TrialContext, address: string): Promise<SampledSequence> => {
  const call = {
    prompt: COUNTED,
    count: 1,
    temperature: 1,
    topP: 1,
    topK: 0,
    maxTokens: SAMPLED,
    stop: [],
    seed: 3,
    address,
  };
  return (await askSamples(service, call, signal))[0]!;
};

/** @throws what says nothing of what the service can do */
function refusalOf(error: unknown, what: string): string {
  const isAway = error instanceof ServiceAwayError;
  if (!isAway && (error instanceof EngineLostError || error instanceof EngineRequestError))
    return `${what}: ${error.message}`;
  throw error;
}
