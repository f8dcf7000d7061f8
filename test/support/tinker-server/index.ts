/** A server of the Tinker protocol for tests. */
export { type Behaviour, HOSTED, SERVERS, SKYRL, TUFT } from './behaviour';
export { type Fault, type SeenRequest, TinkerServer } from './server';
