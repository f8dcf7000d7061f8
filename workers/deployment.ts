/**
 * A worker's place in a Temporal Worker Deployment: workers of one build, of both kinds, are one version of it, and
 * the server gives work to the version that somebody made current (https://docs.temporal.io/worker-versioning).
 */
import type { WorkerDeploymentOptions } from '@temporalio/worker';

export interface Deployment {
  name: string;
  buildId: string;
  /**
   * Whether the workflows that this worker begins stay with its build to their end. Else they go on under whichever build
   * is current: a run takes days, and one that a build cannot go on with is refused at that build's start.
   */
  pinned: boolean;
}

/** Where the environment says which build a worker is of. */
export const DEPLOYMENT_VARIABLES = { name: 'LONGHAUL_DEPLOYMENT', buildId: 'LONGHAUL_BUILD_ID' } as const;

/** As the server writes a version in its search attributes. */
export const versionOf = ({ name, buildId }: Deployment): string => `${name}:${buildId}`;

/** What the SDK is told; nothing where the worker is in no deployment. */
export function deploymentOptions(deployment: Deployment | undefined): {
  workerDeploymentOptions?: WorkerDeploymentOptions;
} {
  if (!deployment) return {};
  const { name, buildId, pinned } = deployment;
  return {
    workerDeploymentOptions: {
      version: { deploymentName: name, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: pinned ? 'PINNED' : 'AUTO_UPGRADE',
    },
  };
}
