/**
 * What the engine has on the service, as a journal tells it. Services forget, workers end, answers get lost on the way: what
 * was sent is known from here alone. A record is on the disk before the call that it tells of is sent. While its engine
 * lives a call is sent again as the same, under its number; an operation that did not end is never gone on with: the policy
 * before it is taken from its checkpoint, on a model of its own, and the operation begun anew.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory, writeSynced } from '../files/index.js';
import type { Meaning } from './meaning.js';

/** Where the service keeps a policy with its optimiser, to train on from. */
export interface Checkpoint {
  path: string;
  /** Whether a folder that was saved names it: it is then not the engine's to remove. */
  kept: boolean;
}

/** Where the service keeps a policy to sample from. */
export interface KeptSampler {
  /** The policy by its caller's name. */
  tag: string;
  path: string;
  /** Folder of config and tokenizer. */
  directory: string;
}

/** A model on the service, and the policy that it holds. */
export interface ModelState {
  /** The service's address. */
  service: string;
  id: string;
  /** What the service calls the model beneath. */
  served: string;
  rank: number;
  /** What this service was found to do. */
  meaning: Meaning;
  /** The model's calls are counted from 1. */
  nextSeq: number;
  /** Folder of config and tokenizer. */
  directory: string;
  /** The policy by its caller's name; null until it is loaded. */
  tag: string | null;
  /** Steps that its optimiser has taken. */
  step: number;
  /** Log-probabilities of a fixed sequence under it (held-model.ts). */
  canary: number[];
  checkpoint: Checkpoint | null;
  /** Where the service keeps it to sample from. */
  sampler: string | null;
  /** An older policy, or this one, that is sampled from whatever becomes of this one; journals of earlier versions name none. */
  beside?: KeptSampler | null;
  /** An operation that changes the policy was begun and did not end: the model holds neither this policy nor the next. */
  open: boolean;
  /** Of the step with this tag: its gradient was too long, and by which factor it is to be made smaller. */
  clip: { tag: string; scale: number } | null;
}

export type JournalRecord =
  | ({ kind: 'model' } & ModelState)
  /** A training call is about to be sent. */
  | { kind: 'call'; seq: number; what: string }
  | { kind: 'open' }
  /** Back at the policy before what was begun, which has not touched the weights. */
  | { kind: 'closed' }
  | { kind: 'sampler'; path: string }
  | { kind: 'kept' }
  | { kind: 'beside'; sampler: KeptSampler | null }
  /** The policy is now this one, whole. */
  | { kind: 'done'; tag: string; step: number; canary: number[]; checkpoint: Checkpoint }
  | { kind: 'abandoned' };

/** A durable list of records. */
export interface CallLog {
  /** All since the last `begin`, oldest first. */
  read(): Promise<JournalRecord[]>;
  /** Forgets what was there. On the disk when it resolves, as is `append`. */
  begin(record: JournalRecord): Promise<void>;
  append(record: JournalRecord): Promise<void>;
}

/** What the model is like after one more record. */
export function after(state: ModelState | null, record: JournalRecord): ModelState | null {
  if (record.kind === 'model') {
    const { kind: _, ...model } = record;
    return model;
  }
  if (state === null || record.kind === 'abandoned') return null;
  switch (record.kind) {
    case 'call':
      return { ...state, nextSeq: record.seq + 1 };
    case 'open':
      return { ...state, open: true };
    case 'closed':
      return { ...state, open: false };
    case 'sampler':
      return { ...state, sampler: record.path };
    case 'beside':
      return { ...state, beside: record.sampler };
    case 'kept':
      return { ...state, checkpoint: state.checkpoint && { ...state.checkpoint, kept: true } };
    case 'done': {
      const { kind: _, ...policy } = record;
      return { ...state, ...policy, open: false, clip: null, sampler: null };
    }
  }
}

/** What the journal says of the model that was held last. */
export async function lastState(log: CallLog): Promise<ModelState | null> {
  return (await log.read()).reduce<ModelState | null>(after, null);
}

const FILE = 'calls.jsonl';

/** A journal in a folder: a record a line, each synced. */
export class FileCallLog implements CallLog {
  private readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, FILE);
  }

  async read(): Promise<JournalRecord[]> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    // What stands behind the last line's end was torn while it was written, and nothing was sent on it.
    const lines = text.split('\n').slice(0, -1);
    return lines.map(line => JSON.parse(line) as JournalRecord);
  }

  async begin(record: JournalRecord): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    await writeSynced(`${this.path}.new`, Buffer.from(line(record)));
    await rename(`${this.path}.new`, this.path);
    await syncDirectory(dirname(this.path));
  }

  async append(record: JournalRecord): Promise<void> {
    const handle = await open(this.path, 'a');
    try {
      await handle.appendFile(line(record));
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

const line = (record: JournalRecord): string => `${JSON.stringify(record)}\n`;
