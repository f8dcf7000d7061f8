/** The store as the page reads it. */
import { CorruptArtifactError, type OpenedStore, openStore } from '../../activities/store/index.js';

/**
 * What is damaged is told, and left where it lies: looking at a store changes nothing in it.
 * @param root a folder, or s3://bucket/prefix
 */
export async function watchedStore(root: string): Promise<OpenedStore> {
  const store = await openStore(root);
  store.setAside = async uri => {
    throw new CorruptArtifactError(uri, (await store.recorded(uri)) ?? 'unknown', 'other content');
  };
  return store;
}
