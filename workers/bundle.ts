/**
 * The workflows as one file, bundled when the project is built so that a worker starts at once: alone, and with what makes
 * spans of them. Run as a program it writes both beside the compiled rooms. A worker that bundled for itself would keep what
 * that takes, some 100 MB of a compiler's objects, and go through them again at every collection of its memory.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const built = (name: string) => resolve(__dirname, '..', name);

export const BUNDLE_FILE = built('workflow-bundle.js');
/** For workers with traces. */
export const TRACED_BUNDLE_FILE = built('traced-workflow-bundle.js');

const WORKFLOW_SPANS = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';

/** @returns the bundle's code, with its source map inside */
export async function bundleWorkflows({ traced }: { traced: boolean }): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve(__dirname, '..', 'workflows'),
    workflowInterceptorModules: traced ? [require.resolve(WORKFLOW_SPANS)] : [],
    logger: new DefaultLogger('WARN'),
  });
  return code;
}

async function writeBundles(): Promise<void> {
  await writeFile(BUNDLE_FILE, await bundleWorkflows({ traced: false }));
  await writeFile(TRACED_BUNDLE_FILE, await bundleWorkflows({ traced: true }));
}

if (require.main === module) {
  writeBundles().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
