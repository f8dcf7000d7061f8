/** A whole run on a bucket: the same artifacts, of the same hashes, as on a folder. */
import { type OpenedStore, planUri, storeUri } from '../../../../activities/store/index.js';
import { driveRun } from '../../../support/drive.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';
import { smallRun } from '../../../support/small-run.js';

(haveS3Server ? describe : describe.skip)('on a bucket', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  test('a whole run ends in the same policies, pools and steps as on a folder', async () => {
    const [onFolder, onBucket] = [await smallRun(), await smallRun(await server.store())];
    try {
      // What a run is told must be the same, the folder of its data included.
      const spec = onFolder.spec;
      const expected = await driveRun(onFolder);
      expect(await driveRun({ ...onBucket, spec })).toEqual(expected);
      const found = await hashesBelow(onBucket.store, storeUri('runs', 'run'));
      expect(found).toEqual(await hashesBelow(onFolder.store, storeUri('runs', 'run')));
      expect(Object.keys(found).length).toBeGreaterThan(30);
      expect(found[planUri('run')]).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      await onFolder.remove();
      await onBucket.remove();
    }
  });
});

/** The hash that each artifact was published with, but of those that tell the time. */
async function hashesBelow(store: OpenedStore, uri: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await store.list(uri)) {
    const below = `${uri}/${name}`;
    const recorded = await store.recorded(below);
    if (recorded) found[below] = recorded;
    else Object.assign(found, await hashesBelow(store, below));
  }
  return found;
}
