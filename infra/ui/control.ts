/** What may be done to runs from the page, where the server was started with --control: the same as from the command line. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { z } from 'zod';
import { runNameSchema } from '../../activities/spec/index.js';
import { beginRun } from '../local/begin-run.js';
import { listPresets, loadSpec } from '../specs/spec-files.js';
import { UserError } from '../user-error.js';
import { asking } from '../view/asking.js';
import { innermost } from '../view/follow.js';
import type { Measuring } from './measuring.js';
import { inputOf } from './request-body.js';

/** An update waits for a worker; claiming an attempt validates its spec. */
const LIMIT_MS = 15_000;

const replaySchema = z.strictObject({
  phase: z.int().min(0),
  overrides: z.record(z.string(), z.unknown()).optional(),
});
const startSchema = z.strictObject({
  preset: z.string(),
  name: z.string().optional(),
  /** `path=value`, as for --set. */
  set: z.array(z.string()).max(100).optional(),
});

export interface RunControl {
  presets(): Promise<string[]>;
  /** Does it, and says in a line what was done. @throws UserError for what cannot be done, and why */
  act(action: string, run: string | null, input: unknown): Promise<string>;
}

export class ServerControl implements RunControl {
  constructor(
    private readonly client: Client,
    private readonly measuring: Measuring,
  ) {}

  presets(): Promise<string[]> {
    return listPresets();
  }

  async act(action: string, run: string | null, input: unknown): Promise<string> {
    try {
      if (run === null && action === 'start') return await this.#start(input);
      const actions: Record<string, (run: string) => Promise<string>> = {
        pause: run => this.#update(run, 'pause', []),
        resume: run => this.#update(run, 'resume', []),
        replay: run => this.#replay(run, input),
        cancel: run => this.#cancel(run),
        measure: run => this.measuring.measure(run, input),
      };
      const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
      if (run === null || !act) throw new UserError(`there is no action "${action}"`);
      return await act(run);
    } catch (error) {
      throw said(error, run);
    }
  }

  async #start(input: unknown): Promise<string> {
    const { preset, name, set = [] } = inputOf(startSchema, input);
    // Of files, which the page's server could read, only the presets are for a page to choose.
    if (!(await listPresets()).includes(preset)) throw new UserError(`There is no preset "${preset}".`);
    const { spec, name: usual } = await loadSpec(preset, set, process.cwd());
    const run = inputOf(runNameSchema, name || usual);
    const { how, otherSpec } = await this.#ask(() => beginRun(this.client, run, spec));
    if (otherSpec) throw new UserError(`There is a run "${run}" with other settings already: give another name.`);
    return how === 'started' || how === 'again' ? `The run "${run}" has started.` : `The run "${run}" is ${how}.`;
  }

  async #replay(run: string, input: unknown): Promise<string> {
    const replay = inputOf(replaySchema, input);
    const result = await this.#ask(() =>
      this.client.workflow
        .getHandle(run)
        .executeUpdate<{ phase: number; attempt: number }, [typeof replay]>('replayPhase', { args: [replay] }),
    );
    return `Phase ${result.phase} is replayed: attempt ${result.attempt}.`;
  }

  async #update(run: string, name: 'pause' | 'resume', args: []): Promise<string> {
    const state = await this.#ask(() => this.client.workflow.getHandle(run).executeUpdate<string, []>(name, { args }));
    return `The run is ${state}.`;
  }

  async #cancel(run: string): Promise<string> {
    await this.#ask(() => this.client.workflow.getHandle(run).cancel());
    return 'The run is being cancelled.';
  }

  #ask<T>(question: () => Promise<T>): Promise<T> {
    return asking(this.client, LIMIT_MS)(question);
  }
}

function said(error: unknown, run: string | null): unknown {
  if (error instanceof WorkflowNotFoundError) return new UserError(`No run "${run}" is under way on the server.`);
  if (error instanceof WorkflowUpdateFailedError) return new UserError(innermost(error));
  const { code } = error as { code?: unknown };
  // gRPC's deadline and unavailability.
  if (code === 4) return new UserError('No worker answered in time. Is one running?');
  if (code === 14) return new UserError('The Temporal server does not answer.');
  return error;
}

/** What a request must bring to be obeyed. */
export class ControlToken {
  readonly text = randomBytes(24).toString('base64url');

  matches(given: unknown): boolean {
    if (typeof given !== 'string' || given.length !== this.text.length) return false;
    return timingSafeEqual(Buffer.from(given), Buffer.from(this.text));
  }
}
