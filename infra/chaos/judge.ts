/**
 * A judge for runs under faults: an OpenAI-compatible endpoint whose verdict is a function of what it is asked, which can
 * go away and which counts how often it is asked the same.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How it may be away: it says so, it breaks off, or it says nothing at all. */
export const WAYS_TO_BE_AWAY = ['busy', 'reset', 'silent'] as const;
export type Away = (typeof WAYS_TO_BE_AWAY)[number];

/** One in so many answers passes, so that verdicts decide what is learnt. */
const PASSES = 8;

export class ChaosJudge {
  /** Questions answered, each content once, and those answered again. */
  readonly asked = { once: 0, again: 0 };
  readonly #answered = new Set<string>();
  readonly #held = new Set<ServerResponse>();
  #away: Away | null = null;

  private constructor(readonly server: Server) {}

  static async listen(): Promise<ChaosJudge> {
    const server = createServer();
    const judge = new ChaosJudge(server);
    server.on('request', (request, response) => void judge.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return judge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Begins its books anew. */
  forget(): void {
    this.#answered.clear();
    Object.assign(this.asked, { once: 0, again: 0 });
  }

  goAway(how: Away): void {
    this.#away = how;
  }

  comeBack(): void {
    this.#away = null;
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Buffer);
    if (this.#away === 'reset') return void response.socket?.resetAndDestroy();
    if (this.#away === 'silent') return void this.#held.add(response);
    if (this.#away === 'busy') return void response.writeHead(503).end('{"error": {"message": "Overloaded"}}');
    const digest = hash.digest();
    const key = digest.toString('hex');
    this.asked[this.#answered.has(key) ? 'again' : 'once']++;
    this.#answered.add(key);
    const content = digest.readUInt32LE(0) % PASSES === 0 ? '[[YES]]' : '[[NO]]';
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    const choices = [{ message: { role: 'assistant', content }, finish_reason: 'stop' }];
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ choices, usage }));
  }
}
