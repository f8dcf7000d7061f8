/** Steps of each stage, as far as they can be known before the stage begins. */
import { type Client, defaultPayloadConverter } from '@temporalio/client';
import type { PlannedSteps } from './time-left.js';

/** Of a spec's phases. How many the warm-up takes depends on how many samples have traces. */
export function plannedSteps(phases: readonly { steps: number }[]): PlannedSteps {
  return Object.fromEntries(phases.map((phase, i) => [`phase-${i + 1}`, phase.steps]));
}

/** Of a run that was begun with a spec; none of one that was begun by a preset's name, or that branches off another. */
export async function plannedStepsOf(client: Client, run: string): Promise<PlannedSteps> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: run },
    maximumPageSize: 1,
  });
  const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const input = payload && defaultPayloadConverter.fromPayload<{ phases?: unknown }>(payload);
  const phases = Array.isArray(input?.phases) ? (input.phases as { steps?: unknown }[]) : [];
  return phases.every(phase => Number.isInteger(phase?.steps)) ? plannedSteps(phases as { steps: number }[]) : {};
}
