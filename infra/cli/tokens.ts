/** `longhaul tokens`: what a step's log does not keep of its tokens, measured again for the page and for `show`. */
import { Command } from 'commander';
import type { EngineSettings } from '../../activities/engine/process/index.js';
import { openStore, type Store } from '../../activities/store/index.js';
import { isMeasured, measureTokens } from '../proof/measured-tokens.js';
import { redoEngine } from '../proof/redo-engine.js';
import { supervisionOf } from '../proof/supervision.js';
import { NotThereError } from '../ui/errors.js';
import { loggedRecord } from '../ui/step.js';
import { UserError } from '../user-error.js';
import { engineSettingsOf, withEngineSettings } from './engine-settings.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';
import { type ServiceFlags, serviceOf, withServiceFlags } from './service-flags.js';
import { type StepFlags, stepAt, withStepFlags } from './step-at.js';

type TokensFlags = StoreFlags & StateFlags & ServiceFlags & StepFlags & Partial<EngineSettings>;

export function tokensCommand(): Command {
  const command = withStateFlag(withStoreFlag(new Command('tokens').argument('<run>', 'name of the run')));
  return withServiceFlags(withEngineSettings(withStepFlags(command)))
    .description("measure a step's tokens again: the entropy at each, and the trainer's own log-probability")
    .addHelpText(
      'after',
      '\nThe policy that sampled them is loaded from its checkpoint, or made again from the log. What is measured is kept in the store: the page colours tokens by it, and `show --json` has it. No server is needed.\n\n' +
        'Examples:\n  longhaul tokens tiny\n  longhaul tokens tiny --stage phase-1 --step 3',
    )
    .action(async (run: string, flags: TokensFlags) => {
      const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
      try {
        const said = await tokens(await openStore(storeOf(flags)), run, flags, interrupt.signal);
        process.stdout.write(`${said}\n`);
      } catch (error) {
        if (error instanceof NotThereError) throw new UserError(error.message);
        if (!interrupt.signal.aborted) throw error;
        process.exitCode = INTERRUPTED;
      } finally {
        interrupt.dispose();
      }
    });
}

/** @returns what was done */
async function tokens(store: Store, run: string, flags: TokensFlags, signal: AbortSignal): Promise<string> {
  const at = await stepAt(store, run, flags);
  const record = await loggedRecord(store, at);
  const name = `${at.stage.stage}, step ${at.step}`;
  if (record.inputs.rounds.length === 0)
    throw new UserError(
      `${name} of "${run}" is of the supervised warm-up: it samples no responses. Choose another with --stage and --step.`,
    );
  if (await isMeasured(store, record)) return `${name}: the tokens were measured before.`;
  const engine = await redoEngine(store, run, engineSettingsOf(flags), await serviceOf(flags));
  try {
    const supervision = supervisionOf(signal, text => void process.stderr.write(`${text}\n`));
    const groups = await measureTokens({ store, ...engine }, record, supervision);
    return `${name}: the tokens of ${groups} groups are measured.`;
  } finally {
    await engine.engine.close();
  }
}
