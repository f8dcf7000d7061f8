/**
 * The engine's process with onnxruntime's profiler on: each session leaves a trace in the folder that the environment
 * names, written when it is released or SIGTERM ends the process.
 */
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { TRACES } from './traces.js';

const sessions: ort.InferenceSession[] = [];
const { InferenceSession } = ort;
const create = InferenceSession.create.bind(InferenceSession) as (
  bytes: Uint8Array,
  options: ort.InferenceSession.SessionOptions,
) => Promise<ort.InferenceSession>;

Object.assign(InferenceSession, {
  create: async (bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
    const profileFilePrefix = join(process.env[TRACES]!, String(sessions.length));
    const session = await create(bytes, { ...options, enableProfiling: true, profileFilePrefix });
    sessions.push(session);
    return session;
  },
});

process.once('SIGTERM', () => {
  for (const session of sessions) {
    try {
      session.endProfiling();
    } catch {
      // Released before: its trace is written.
    }
  }
  process.exit(0);
});

// Sessions are made by what was put in place above.
require('../../../activities/engine/process/child.js');
