/** The real engine for tests: its child process needs compiled code, which `npm test` has built into dist/. */
import { join } from 'node:path';
import { createEngine, type EngineOptions } from '../../activities/engine/process/host';
import type { Engine } from '../../activities/engine/protocol/index';

export const ENGINE_PROGRAM = join(__dirname, '../../dist/activities/engine/process/child.js');

export const realEngine = (options: EngineOptions = {}): Engine =>
  createEngine({ program: ENGINE_PROGRAM, ...options });
