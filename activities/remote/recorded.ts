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
  place: ReplyPlace = {},
): Promise<RecordedReply | null> {
  const found = await store.find(uriOf(settings, request, place));
  return found && recorded(await readJson<StoredReply>(store, found), true);
}

/** The reply in the store; where there is none yet, the endpoint is asked and its reply kept. Throws as ChatClient.ask. */
export async function recordedAsk(
  store: Store,
  client: ChatClient,
  request: ChatRequest,
  place: ReplyPlace,
  options: AskOptions,
): Promise<RecordedReply> {
  const found = await findReply(store, client, request, place);
  if (found) return found;
  const { url, model } = client.settings;
  const reply = await client.ask(request, options);
  options.check?.(reply);
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
