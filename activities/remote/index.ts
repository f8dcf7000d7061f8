/** Endpoints of others: asked, asked again, and what they said kept. */
export { type Answer, type AskUsage, askAll, type Question } from './ask-all.js';
export { type ChatReply, createChatClient } from './chat.js';
export { checkKey, createEndpoint, type Environment } from './endpoint.js';
export {
  EndpointRefusedError,
  EndpointRejectedError,
  EndpointUnavailableError,
  MalformedReplyError,
  MissingKeyError,
} from './errors.js';
export { post } from './post.js';
export type { RetryClock } from './retry.js';
export { type ChatSettings, chatSchema, endpointShape } from './settings.js';
