/** Endpoints of others: asked, asked again, and what they said kept. */
export { type Answer, type AskUsage, askAll, NO_USAGE, type Question } from './ask-all.js';
export { type ChatClient, type ChatRequest, createChatClient, nameOf } from './chat.js';
export type { ChatReply } from './completion.js';
export { checkKey, createEndpoint } from './endpoint.js';
export {
  EndpointRefusedError,
  EndpointRejectedError,
  EndpointUnavailableError,
  MalformedReplyError,
  MissingKeyError,
  refusal,
} from './errors.js';
export { CAUSES, type CauseName, type Outcome } from './outcomes.js';
export { type Environment, post } from './post.js';
export { leastTokens, seemsCut } from './prompt-size.js';
export type { RetryClock } from './retry.js';
export { type ChatSettings, chatSchema, endpointShape, serverAddress, timeoutOf } from './settings.js';
