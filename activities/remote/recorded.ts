/** Asking once: what an endpoint replied is kept in the store, so that work that is done again pays for nothing twice. */
import { hashOf, readJson, replyUri, type Store } from '../store/index.js';
import type { AskOptions, ChatClient, ChatRequest } from './chat.js';
import type { ChatReply } from './completion.js';

/** What sets equal questions apart. Where it is left out, everybody on the store shares one reply. */
export interface ReplyPlace {
  /** Whose question it is: an evaluation's name. */
  scope?: string;
  /** Which of several replies to the same question, from 0. */
  index?: number;
}

/** replies/<hash>.json */
export interface StoredReply extends ChatReply, ReplyPlace {
  url: string;
  model: string;
}

export interface RecordedReply extends ChatReply {
  /** Whether it lay in the store: nothing was asked. */
  cached: boolean;
}

/** The reply in the store, or null. */
export async function findReply(
  store: Store,
  { settings }: ChatClient,
  request: ChatRequest,
  place: ReplyPlace,
): Promise<RecordedReply | null> {
  const found = await store.find(uriOf(settings, request, place));
  return found && recorded(await readJson<StoredReply>(store, found), true);
}

export interface KeepOptions extends AskOptions {
  /** Throws for a reply that must not be kept, since the same question has another answer once something is mended. */
  check?: ((reply: ChatReply) => void) | undefined;
}

/** Asks the endpoint, for a question whose reply is not in the store yet, and keeps what it says. Throws as ChatClient.ask. */
export async function askToKeep(
  store: Store,
  client: ChatClient,
  request: ChatRequest,
  place: ReplyPlace,
  { check, ...options }: KeepOptions,
): Promise<RecordedReply> {
  const { url, model } = client.settings;
  const reply = await client.ask(request, options);
  check?.(reply);
  const stored: StoredReply = { url, model, ...place, ...reply };
  // Two workers that ask the same have two replies: what both go on with is the one published first.
  const ref = await store.publishFirst(uriOf(client.settings, request, place), `${JSON.stringify(stored, null, 1)}\n`);
  return recorded(await readJson<StoredReply>(store, ref), false);
}

/** The key is no part of it, nor what decides only how long one waits. */
function uriOf({ url, model, extra }: ChatClient['settings'], request: ChatRequest, { scope, index }: ReplyPlace) {
  return replyUri(hashOf({ url, model, extra, request, scope, index }));
}

function recorded({ text, finish, usage }: StoredReply, cached: boolean): RecordedReply {
  return { text, finish, usage, cached };
}
