/** What an operation of the engine works with. */
import { readConfig } from '../folders/index.js';
import type { DecoderConfig } from '../model/index.js';
import type { EngineProgress } from '../protocol/index.js';
import type { Models } from './models.js';
import type { Policy } from './policy.js';
import type { WholeSettings } from './settings.js';
import type { Service } from './wire/service.js';

export interface Operating {
  settings: WholeSettings;
  service: Service;
  models: Models;
  policy: Policy;
  signal: AbortSignal | undefined;
  progress(done: number, total: number, unit: EngineProgress['unit']): void;
}

export const configOf = async (directory: string): Promise<DecoderConfig> => (await readConfig(directory)).config;
