/** `npm run trial -- grafana`: whether Grafana's own reader of dashboards takes ours. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { CHECKOUT } from '../../checkout.js';
import { DASHBOARD_FILE } from '../../grafana/dashboard.js';
import { which } from '../../local/programs.js';
import { UserError } from '../../user-error.js';

export function addGrafanaTrial(command: Command): void {
  command
    .description('the dashboard, read strictly by the Foundation SDK of Grafana (needs Go; builds for a minute)')
    .action(async () => {
      process.stdout.write(await checked(DASHBOARD_FILE));
    });
}

/** @returns what the SDK says of the dashboard @throws UserError of all that it does not take */
async function checked(file: string): Promise<string> {
  if (!(await which('go', process.env))) throw new UserError('There is no go on the PATH: install Go 1.21 or newer.');
  const cwd = join(CHECKOUT, 'infra', 'trials', 'grafana');
  try {
    const { stdout } = await promisify(execFile)('go', ['run', '.', file], { cwd });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new UserError(`${file}: ${stdout || stderr}`.trim());
  }
}
