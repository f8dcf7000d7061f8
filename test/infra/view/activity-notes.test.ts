import type { Client } from '@temporalio/client';
import { ApplicationFailureCategory, encodeApplicationFailureCategory } from '@temporalio/common';
import { activityNotes } from '../../../infra/view/activity-notes.js';

const { BENIGN } = ApplicationFailureCategory;

/** A client of a server that knows these pending activities of any workflow. */
const clientOf = (...pendingActivities: object[]) =>
  ({
    workflow: { getHandle: () => ({ describe: async () => ({ raw: { pendingActivities } }) }) },
  }) as unknown as Client;

const failed = (message: string, category: number | null) => ({
  activityType: { name: 'trainSteps' },
  attempt: 3,
  lastFailure: { message, applicationFailureInfo: { category } },
});

describe('why an activity is tried again', () => {
  test('is told in one line', async () => {
    const { retries } = await activityNotes(clientOf(failed('disk full\nat once', null)), ['run']);
    expect(retries).toEqual(['trainSteps is tried again (try 3): disk full']);
  });

  test('is told of a failure without details too, as of a heartbeat that did not come', async () => {
    const late = {
      activityType: { name: 'trainSteps' },
      attempt: 2,
      lastFailure: { message: 'activity Heartbeat timeout' },
    };
    const { retries } = await activityNotes(clientOf(late), ['run']);
    expect(retries).toEqual(['trainSteps is tried again (try 2): activity Heartbeat timeout']);
  });

  test('is nothing to tell where it was handed on to another engine', async () => {
    const category = encodeApplicationFailureCategory(BENIGN)!;
    const { retries } = await activityNotes(clientOf(failed('The engine holds another policy: handed on.', category)), [
      'run',
    ]);
    expect(retries).toEqual([]);
  });
});
