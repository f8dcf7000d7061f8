/** The training service as one worker has come to know it: what was asked once is not tried again while the worker lives. */
import type { CallOptions, ServiceNeeds, ServiceReport, TrainingService } from '../activities/engine/protocol/index.js';
import type { Numerics } from '../activities/provenance/index.js';
import { hashOf } from '../activities/store/index.js';

export class ExaminedService implements TrainingService {
  private readonly reports = new Map<string, Promise<ServiceReport>>();
  /** For the log: what was found, and the loosest tolerance so far. Grows as runs come. */
  readonly numerics: Numerics & { tolerance: number } = {
    provider: 'tinker',
    processor: 'a training service',
    sha256: hashOf('of a training service no bits are known'),
    tolerance: 0,
  };

  constructor(private readonly service: TrainingService) {}

  serves(options?: CallOptions) {
    return this.service.serves(options);
  }

  examine(needs: ServiceNeeds, options?: CallOptions): Promise<ServiceReport> {
    const key = hashOf(needs);
    const known = this.reports.get(key);
    if (known) return known;
    const report = this.service.examine(needs, options).then(found => {
      // Somebody may give the service what it lacks.
      if (found.lacks.length > 0) this.reports.delete(key);
      else this.learn(found);
      return found;
    });
    this.reports.set(key, report);
    report.catch(() => this.reports.delete(key));
    return report;
  }

  sampler(tags: readonly string[], options?: CallOptions) {
    return this.service.sampler(tags, options);
  }

  discard(directory: string, options?: CallOptions) {
    return this.service.discard(directory, options);
  }

  private learn({ found, tolerance }: ServiceReport): void {
    this.numerics.processor = found;
    this.numerics.tolerance = Math.max(this.numerics.tolerance, tolerance);
  }
}
