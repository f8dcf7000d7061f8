/** The store as the page reads it. */
import { CorruptArtifactError, FolderStore } from '../../activities/store/index.js';

/** What is damaged is told, and left where it lies: looking at a store changes nothing in it. */
export class WatchedStore extends FolderStore {
  override async setAside(uri: string): Promise<string> {
    throw new CorruptArtifactError(uri, (await this.recorded(uri)) ?? 'unknown', 'other content');
  }
}
