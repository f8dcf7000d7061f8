/**
 * Rewards of the user's own.
 *
 * A module exports a function, as default or as `reward`, that is called once for each response:
 *   async ({ id, task, question, answers, prompt, response }) => number | { reward: number, reason?: string }
 * An error that it throws, or a result that is no reward, is a mistake in it and ends the phase, with file and sample. An
 * error with a field `unscored: true` is none: it leaves the group unscored.
 *
 * An endpoint gets a POST for each group, and answers with a reward for each response, in order:
 *   { "id", "task", "question", "answers": [], "prompt", "responses": [] }
 *   { "rewards": [1, { "reward": 0.5, "reason": "…" }] }
 * It is tried again as a judge is; a group that it gives no rewards for is unscored.
 *
 * Rewards are finite. They may lie below zero: advantages go by differences, and retrospective sampling counts from the lowest
 * mean (activities/training/resampling.ts).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import {
  createEndpoint,
  EndpointRejectedError,
  EndpointUnavailableError,
  type Environment,
  MalformedReplyError,
  type RetryClock,
  timeoutOf,
} from '../remote/index.js';
import { ModuleThread } from './module-thread.js';
import type { CustomSettings } from './settings.js';

export interface CustomGroup {
  id: string;
  task: string;
  question: string;
  answers: readonly string[];
  /** As the model read it. */
  prompt: string;
  responses: readonly string[];
}

export interface CustomReward {
  reward: number;
  reason: string;
}

export type CustomRewards = { rewards: CustomReward[] } | { rewards: null; unscored: string };

/** Rewards a group by the user's module or endpoint. */
export interface CustomRewarder {
  /** How many groups may be under way at a time. */
  concurrency: number;
  reward(group: CustomGroup, signal: AbortSignal): Promise<CustomRewards>;
  end(): Promise<void>;
}

/** A mistake in the user's module, which no other try mends. */
export class CustomRewardError extends Error {
  override readonly name = 'CustomRewardError';
}

const PROBLEM = 'expected a finite number, or {reward, reason} with one';
const rewardSchema = z.number(PROBLEM);
const givenSchema = z.union([rewardSchema, z.object({ reward: rewardSchema, reason: z.string().optional() })], PROBLEM);

/** @throws MissingKeyError, or what reading the module throws */
export async function createCustomRewarder(
  settings: CustomSettings,
  environment: Environment,
  clock?: RetryClock,
): Promise<CustomRewarder> {
  return settings.module !== null
    ? moduleRewarder({ ...settings, module: settings.module })
    : endpointRewarder({ ...settings, url: settings.url! }, environment, clock);
}

/** The SHA-256 of a module's own file. Throws when there is none here, which another worker or a copy mends. */
export async function moduleHash(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Error(
      `The custom reward ${file} cannot be read on this worker (${hostname()}): ${error.message}. Every worker needs the file.`,
    );
  });
  return createHash('sha256').update(bytes).digest('hex');
}

async function moduleRewarder(settings: CustomSettings & { module: string }): Promise<CustomRewarder> {
  const { module, concurrency } = settings;
  const timeoutSeconds = timeoutOf(settings);
  const origin = `${module} (sha256 ${(await moduleHash(module)).slice(0, 12)})`;
  const idle: ModuleThread[] = [];
  const all: ModuleThread[] = [];

  const rewardOne = async (group: CustomGroup, k: number, signal: AbortSignal): Promise<CustomReward | string> => {
    const { responses, ...question } = group;
    const thread = idle.pop() ?? new ModuleThread(module);
    if (!all.includes(thread)) all.push(thread);
    const called = await thread.call({ ...question, response: responses[k] }, timeoutSeconds, signal);
    if ('timedOut' in called) return `${module} gave no reward within ${timeoutSeconds} s`;
    const where = `The custom reward ${module}, asked about response ${k + 1} to sample ${group.id}`;
    if ('error' in called) {
      if (!called.unscored) throw new CustomRewardError(`${where}, failed: ${called.error}`);
      idle.push(thread);
      return `${module}: ${called.said}`;
    }
    idle.push(thread);
    const given = givenSchema.safeParse(called.value);
    if (given.success) return customReward(given.data, origin);
    throw new CustomRewardError(
      `${where}, gave ${shown(called.value)}: ${given.error.issues[0]!.message}. A reward that cannot be had is said by an error with the field unscored: true.`,
    );
  };

  return {
    concurrency,
    // One response after another: groups are enough to keep the threads busy.
    reward: async (group, signal) => {
      const rewards: CustomReward[] = [];
      for (const k of group.responses.keys()) {
        const given = await rewardOne(group, k, signal);
        if (typeof given === 'string') return { rewards: null, unscored: given };
        rewards.push(given);
      }
      return { rewards };
    },
    end: async () => {
      await Promise.all(all.map(thread => thread.end()));
    },
  };
}

const repliedSchema = z.object({ rewards: z.array(givenSchema) });

function endpointRewarder(
  settings: CustomSettings & { url: string },
  environment: Environment,
  clock: RetryClock | undefined,
): CustomRewarder {
  const { url, concurrency } = settings;
  const what = `the custom reward at ${url}`;
  const endpoint = createEndpoint({ settings, path: '', what, environment, clock });
  const read = (group: CustomGroup) => (json: unknown) => {
    const parsed = repliedSchema.safeParse(json);
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
      throw new MalformedReplyError(`${path.join('.') || 'its reply'}: ${message}`);
    }
    const { rewards } = parsed.data;
    if (rewards.length === group.responses.length) return rewards.map(given => customReward(given, url));
    throw new MalformedReplyError(
      `rewards: expected one for each of ${group.responses.length} responses, found ${rewards.length}`,
    );
  };
  return {
    concurrency,
    reward: async (group, signal) => {
      try {
        return {
          rewards: await endpoint.ask(group, { read: read(group), signal, timeoutSeconds: timeoutOf(settings) }),
        };
      } catch (error) {
        if (error instanceof EndpointUnavailableError || error instanceof EndpointRejectedError) {
          return { rewards: null, unscored: error.message };
        }
        throw error;
      }
    },
    end: async () => {},
  };
}

function customReward(given: z.output<typeof givenSchema>, origin: string): CustomReward {
  const { reward, reason } = typeof given === 'number' ? { reward: given, reason: undefined } : given;
  return { reward, reason: `${reward} by ${origin}${reason ? `: ${reason}` : ''}` };
}

/** A value in a few characters, those that JSON has no words for included. */
function shown(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)} …`;
}
