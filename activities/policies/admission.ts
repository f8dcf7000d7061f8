/**
 * Whether the training service behind this worker's engine has what a run needs. Asked before anything is spent on the run,
 * and by every worker before it works on a policy of it: it may be another service than the one that was asked then.
 */
import type { PolicyDependencies } from '../dependencies.js';
import type { ServiceNeeds, ServiceReport } from '../engine/protocol/index.js';
import { InvalidSpecError } from '../spec/index.js';
import { absence, readJson, serviceNeedsUri } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';

/** Where a spec says each need. */
const PLACES: Record<keyof ServiceNeeds, string> = {
  model: 'engine.model',
  adapter: 'engine.lora',
  contextLength: 'phases',
  losses: 'rl',
  optimizers: 'rl.optimizer',
  samplings: 'rl.sampling',
  overlap: 'rl.overlap',
};

/** The report as the spec's issues; none where the run can begin. */
export const serviceIssues = ({ lacks }: ServiceReport) =>
  lacks.map(({ need, problem }) => ({ path: PLACES[need], problem }));

/**
 * @returns what the service was found to be; null where the engine is none
 * @throws InvalidSpecError naming all that it lacks, where the spec asks for it
 */
export async function admitRun(
  { store, service }: Pick<PolicyDependencies, 'store' | 'service'>,
  run: string,
  { call }: Pick<Supervision, 'call'>,
): Promise<ServiceReport | null> {
  if (!service) return null;
  const uri = serviceNeedsUri(run);
  const ref = await store.find(uri);
  if (!ref) throw await absence(store, uri, `the run "${run}" was not prepared for a training service`);
  const report = await service.examine(await readJson<ServiceNeeds>(store, ref), call);
  const issues = serviceIssues(report);
  if (issues.length > 0) throw new InvalidSpecError(issues);
  return report;
}
