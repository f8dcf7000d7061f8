/** Asks the training service, before anything is spent, whether it has what the run needs; what it was found to be is logged. */
import type { EngineDependencies } from '../dependencies.js';
import { EngineRequestError, type ServiceReport } from '../engine/protocol/index.js';
import { admitRun } from '../policies/index.js';
import { supervised } from '../supervision/index.js';

export function examineService(deps: EngineDependencies) {
  return ({ run }: { run: string }): Promise<Omit<ServiceReport, 'lacks'>> =>
    supervised('trying the training service', async supervision => {
      const report = await admitRun(deps, run, supervision);
      if (!report) throw new EngineRequestError("this worker's engine is no training service", 'unsupported');
      const { found, tolerance } = report;
      return { found, tolerance };
    });
}
