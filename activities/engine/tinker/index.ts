/** The engine as a training service of others, spoken to by the Tinker protocol. */
export { createTinkerEngine } from './engine.js';
export type { CallLog, JournalRecord } from './journal.js';
export { readServiceFile, SERVICE_FILE } from './service-file.js';
export type { TinkerSettings } from './settings.js';
