export { canonicalJson, hashOf, sha256 } from './canonical.js';
export * from './claims.js';
export { FolderStore } from './folder-store.js';
export { fileHash, fileHashes, folderHash } from './hash.js';
export * from './layout.js';
export * from './store.js';
