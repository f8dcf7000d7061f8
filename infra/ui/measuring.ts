/** Tokens measured again on behalf of the page: by the command of that name, whose engine goes when it is done. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { runNameSchema } from '../../activities/spec/index.js';
import { LONGHAUL_COMMAND } from '../checkout.js';
import { UserError } from '../user-error.js';
import { inputOf } from './request-body.js';

const measureSchema = z.strictObject({
  stage: z.string().regex(/^(warmup|phase-[1-9]\d*)$/),
  attempt: z.int().min(1),
  step: z.int().min(1),
});

export class Measuring {
  #busy = false;

  /** @param root of the store */
  constructor(
    private readonly root: string,
    private readonly command = LONGHAUL_COMMAND,
  ) {}

  /** One step at a time: each loads a model. @returns what was done @throws UserError saying why it could not be */
  async measure(run: string, input: unknown): Promise<string> {
    const { stage, attempt, step } = inputOf(measureSchema, input);
    const name = inputOf(runNameSchema, run);
    if (this.#busy) throw new UserError('The tokens of another step are being measured: wait until they are.');
    this.#busy = true;
    try {
      const at = ['--stage', stage, '--attempt', String(attempt), '--step', String(step)];
      const args = [this.command, 'tokens', name, ...at, '--store', this.root];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return stdout.trim();
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new UserError(stderr.trim().split('\n').at(-1) || message);
    } finally {
      this.#busy = false;
    }
  }
}
