/** Flags by which a worker is one build of a Temporal Worker Deployment. */
import { type Command, Option } from 'commander';
import { DEPLOYMENT_VARIABLES, type Deployment } from '../../workers/deployment.js';
import { UserError } from '../user-error.js';

export interface DeploymentFlags {
  deployment?: string;
  buildId?: string;
  pinned?: boolean;
}

export function withDeploymentFlags(command: Command): Command {
  return command
    .optionsGroup('Versions of workers (both or neither of the first two):')
    .addOption(
      new Option(
        '--deployment <name>',
        'the Worker Deployment that it belongs to, shared by workers of both kinds; work goes to its current build',
      ).env(DEPLOYMENT_VARIABLES.name),
    )
    .addOption(
      new Option('--build-id <id>', 'which build of it this worker is, e.g. the image’s tag').env(
        DEPLOYMENT_VARIABLES.buildId,
      ),
    )
    .option('--pinned', 'cpu: workflows begun on this build stay with it to their end, so it must be kept running');
}

/**
 * @returns undefined for a worker that is not versioned
 * @throws UserError for half a version, and for names that the server would refuse
 */
export function deploymentOf({ deployment, buildId, pinned = false }: DeploymentFlags): Deployment | undefined {
  if (!deployment && !buildId) {
    if (pinned)
      throw new UserError('--pinned keeps workflows with their build: say which with --deployment and --build-id.');
    return undefined;
  }
  if (!deployment || !buildId) {
    const [given, missing] = deployment
      ? (['deployment', '--build-id ID or LONGHAUL_BUILD_ID'] as const)
      : (['build id', '--deployment NAME or LONGHAUL_DEPLOYMENT'] as const);
    throw new UserError(`There is a ${given} (${deployment || buildId}) alone: give ${missing} too, or neither.`);
  }
  if (/[.:]/.test(deployment) || deployment.startsWith('__'))
    throw new UserError(
      `--deployment ${deployment}: expected a name without "." and ":" that does not begin with "__".`,
    );
  if (buildId.startsWith('__'))
    throw new UserError(`--build-id ${buildId}: expected an id that does not begin with "__".`);
  return { name: deployment, buildId, pinned };
}

/** The command that has the server give work to this build. */
export function howToGiveWork({ name, buildId }: Deployment): string {
  return (
    `build ${buildId} of ${name}; it is given work once it is current: ` +
    `temporal worker deployment set-current-version --deployment-name ${name} --build-id ${buildId}`
  );
}
