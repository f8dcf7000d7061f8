/** Studies of the small run, on a server and workers of a test file. */
import type { WorkflowHandle } from '@temporalio/client';
import { type CurriculumResult, type StudyProgress, TASK_QUEUE } from '../../activities/contract/index.js';
import { readJson, resultUri } from '../../activities/store/index.js';
import type { study } from '../../workflows/index.js';
import { type SmallRun, smallRun } from './small-run.js';
import { startServer, startWorkers, type TestServer } from './temporal-server.js';

export type StudyHandle = WorkflowHandle<typeof study>;

/** Two variants that differ from phase 2 on, and one from the beginning. */
export const FULL = { name: 'full' };
export const COOL = { name: 'cool', set: { 'phases.1.rl': { optimizer: { learningRate: 2e-4 } } } };
export const COLD = { name: 'cold', set: { warmup: null } };

export class StudyBench {
  private constructor(
    readonly server: TestServer,
    readonly small: SmallRun,
    private readonly stopWorkers: () => Promise<void>,
  ) {}

  static async start(): Promise<StudyBench> {
    const [server, small] = [await startServer(), await smallRun()];
    return new StudyBench(server, small, await startWorkers(server, small));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.server.env.teardown();
    await this.small.remove();
  }

  studyOf(changes: object = {}) {
    const { spec } = this.small;
    return {
      base: { ...spec, evaluation: { ...spec.evaluation, policies: ['base', 'sft', 'phases', 'final'] } },
      variants: [FULL, COOL],
      seeds: [1, 2],
      atOnce: 4,
      hypotheses: [{ variant: 'full', above: 'full', aboveAt: 'base', on: 'held-out' }],
      ...changes,
    };
  }

  begin(workflowId: string, input: object): Promise<StudyHandle> {
    return this.server.env.client.workflow.start<typeof study>('study', {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input as never],
    });
  }

  train(workflowId: string, input: object): Promise<CurriculumResult> {
    return this.server.env.client.workflow.execute('curriculum', { workflowId, taskQueue: TASK_QUEUE, args: [input] });
  }

  async read<T>(uri: string): Promise<T> {
    return readJson<T>(this.small.store, (await this.small.store.find(uri))!);
  }

  resultOf = (run: string) => this.read<CurriculumResult>(resultUri(run));
  progressOf = (handle: StudyHandle) => handle.query<StudyProgress>('progress');

  /** How often the engine is asked to train or to sample meanwhile. */
  async computed(work: () => Promise<void>): Promise<number> {
    const { calls } = this.small.engine;
    const before = calls.length;
    await work();
    return calls.slice(before).filter(call => ['sft', 'update', 'generate'].includes(call)).length;
  }
}
