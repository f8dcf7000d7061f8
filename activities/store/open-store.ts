/** Which kind of store a person's word for it means. */
import { FolderInventory } from './folder-inventory.js';
import { FolderStore } from './folder-store.js';
import type { Inventory } from './inventory.js';
import { isS3Address } from './s3/address.js';
import type { OpenedStore } from './store.js';

/**
 * @param root a folder, or s3://bucket/prefix; nothing is looked for or made yet
 * @throws S3AddressError
 */
export async function openStore(root: string): Promise<OpenedStore> {
  if (!isS3Address(root)) return new FolderStore(root);
  // The client is loaded where it is asked for: other commands begin without.
  const { S3Store } = await import('./s3/s3-store.js');
  return new S3Store(root);
}

/** The same store as a whole. */
export async function openInventory(root: string): Promise<Inventory> {
  if (!isS3Address(root)) return new FolderInventory(new FolderStore(root));
  const { S3Inventory } = await import('./s3/s3-inventory.js');
  return new S3Inventory(root);
}
