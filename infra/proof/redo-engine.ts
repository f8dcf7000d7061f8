/** An engine to redo a run's steps with: of the kind that made them. */
import type { EngineKind } from '../../activities/contract/index.js';
import type { PolicyDependencies } from '../../activities/dependencies.js';
import { createEngine, type EngineSettings, engineSettings } from '../../activities/engine/process/index.js';
import { createTinkerEngine, type TinkerSettings } from '../../activities/engine/tinker/index.js';
import { servedModelOf } from '../../activities/policies/index.js';
import { measureNumerics } from '../../activities/provenance/index.js';
import type { Store } from '../../activities/store/index.js';
import { ExaminedService } from '../../workers/examined-service.js';
import { UserError } from '../user-error.js';

export type RedoEngine = Pick<PolicyDependencies, 'engine' | 'service' | 'numerics'>;

/** @returns the engine, which is the caller's to close */
export async function redoEngine(
  store: Store,
  run: string,
  settings: Partial<EngineSettings>,
  service: TinkerSettings | null,
): Promise<RedoEngine> {
  const made: EngineKind = (await servedModelOf(store, run)) === null ? 'onnx' : 'tinker';
  const given: EngineKind = service ? 'tinker' : 'onnx';
  if (made === 'tinker' && given === 'onnx')
    throw new UserError(
      `A training service made the steps of "${run}", and keeps what they begin from: to redo them give --engine tinker --engine-url URL.`,
    );
  if (made !== given)
    throw new UserError(`The workers themselves made the steps of "${run}": leave --engine and --engine-url out.`);
  if (service) {
    const engine = createTinkerEngine(service);
    const examined = new ExaminedService(engine);
    return { engine, service: examined, numerics: examined.numerics };
  }
  const engine = createEngine(settings);
  return { engine, numerics: await measureNumerics(engine, settings.provider ?? engineSettings().provider) };
}
