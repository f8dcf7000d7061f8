/** The engine as a process of its own: host, child, and the policy that it holds. */
export { createEngine, type EngineOptions } from './host.js';
export { checkGroups, checkIds, checkLogprobs, checkRollouts, expectFinite } from './request-checks.js';
export { type EngineSettings, engineSettings, parseSetting, settingsEnvironment } from './settings.js';
