/** Where artifacts lie: published once, whole, and never changed. */
export { canonicalJson, hashOf, sha256 } from './canonical.js';
export * from './claims.js';
export { FolderStore } from './folder-store.js';
export { fileHash, fileHashes, filesBelow, folderHash } from './hash.js';
export * from './layout.js';
export { identify, isAlive, type ProcessIdentity } from './process-identity.js';
export * from './store.js';
