/** Where artifacts lie: published once, whole, and never changed. */
export { canonicalJson, hashOf, sha256 } from './canonical.js';
export * from './claims.js';
export { type Copied, copyStore } from './copy.js';
export { FolderStore } from './folder-store.js';
export { fileHash, fileHashes, filesBelow, folderHash } from './hash.js';
export { inTurn } from './in-parallel.js';
export type { Entry, Inventory, Leftover } from './inventory.js';
export * from './layout.js';
export { openInventory, openStore } from './open-store.js';
export { identify, isAlive, type ProcessIdentity } from './process-identity.js';
export { isS3Address, S3AddressError } from './s3/address.js';
export { checkSettings, type ObjectSettings, SSE } from './s3/object-settings.js';
export { UnfitBucketError } from './s3/unfit-bucket-error.js';
export * from './store.js';
