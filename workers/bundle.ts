/**
 * The workflows as one file, bundled when the project is built so that a worker starts at once. Run as a program it
 * writes `workflow-bundle.js` beside the compiled rooms.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

export const BUNDLE_FILE = resolve(__dirname, '..', 'workflow-bundle.js');

/**
 * @param interceptors paths of modules whose interceptors are put around the workflows
 * @returns the bundle's code, with its source map inside
 */
export async function bundleWorkflows(interceptors: string[] = []): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve(__dirname, '..', 'workflows'),
    workflowInterceptorModules: interceptors,
    logger: new DefaultLogger('WARN'),
  });
  return code;
}

if (require.main === module) {
  bundleWorkflows()
    .then(code => writeFile(BUNDLE_FILE, code))
    .catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
}
