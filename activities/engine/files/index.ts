/** What lies on disks and on the Hub: safetensors, weights, downloads. */
export { exists, newFolder, syncDirectory, whileThere, writeSynced } from './files.js';
export { COMMIT, Hub, type HubFile, type HubOptions, HubRefusal } from './hub.js';
export {
  type Fingerprint,
  fingerprintSafetensors,
  SafetensorsFile,
  type Tensor,
  type Tensors,
  writeSafetensors,
} from './safetensors.js';
export { storageTrouble } from './storage-trouble.js';
export { INDEX_FILE, readIndex, WEIGHTS_FILE, Weights } from './weights.js';
