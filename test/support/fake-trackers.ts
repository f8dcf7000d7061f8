/**
 * MLflow and trackio as far as longhaul talks to them, with what the real ones do to points that come again: seen with mlflow
 * 3.17.2 and trackio 0.43.0, and compared with those by `npm run trial -- trackers`. Answers can be lost, before or after
 * the request was carried out.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

// biome-ignore lint/suspicious/noExplicitAny: bodies of requests, which the cases below read
type Json = Record<string, any>;
/** What becomes of a request: carried out and answered; carried out and not answered; neither. */
export type Fate = 'fine' | 'answer lost' | 'away';

abstract class FakeServer {
  /** Asked of each request in turn. */
  fate: (path: string) => Fate = () => 'fine';
  requests = 0;
  /** The headers that each came with. */
  seen: Record<string, unknown>[] = [];
  #server: Server | null = null;

  abstract answer(path: string, body: Json): { status: number; body: unknown };

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.requests++;
      this.seen.push(request.headers);
      const fate = this.fate(request.url!);
      if (fate === 'away') return request.socket.destroy();
      const { status, body } = this.answer(request.url!, JSON.parse(Buffer.concat(chunks).toString()));
      if (fate === 'answer lost') return request.socket.destroy();
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>(resolve => this.#server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise(resolve => this.#server?.close(resolve));
  }
}

interface FakeRun {
  info: Json;
  deleted: boolean;
  tags: Map<string, string>;
  params: Map<string, string>;
  /** By key, time, step and value. */
  metrics: Map<string, { key: string; value: number; step: number; timestamp: number }>;
}

export class FakeMlflow extends FakeServer {
  readonly experiments: string[] = [];
  readonly runs: FakeRun[] = [];

  live(name: string): FakeRun[] {
    return this.runs.filter(run => !run.deleted && run.info.run_name === name);
  }

  answer(path: string, body: Json) {
    const fine = (answer: unknown) => ({ status: 200, body: answer });
    const bad = (error_code: string) => ({ status: 400, body: { error_code, message: error_code } });
    const run = this.runs.find(({ info }) => info.run_id === body.run_id);
    switch (path) {
      case '/api/2.0/mlflow/experiments/search': {
        const name = /^name = '(.*)'$/.exec(body.filter)![1]!;
        const at = this.experiments.indexOf(name);
        return fine(at < 0 ? {} : { experiments: [{ experiment_id: String(at), name }] });
      }
      case '/api/2.0/mlflow/experiments/create':
        if (this.experiments.includes(body.name)) return bad('RESOURCE_ALREADY_EXISTS');
        return fine({ experiment_id: String(this.experiments.push(body.name) - 1) });
      case '/api/2.0/mlflow/runs/search': {
        const [, key, value] = /^tags\.`(.*)` = '(.*)'$/.exec(body.filter)!;
        const found = this.runs.filter(
          one => !one.deleted && body.experiment_ids.includes(one.info.experiment_id) && one.tags.get(key!) === value,
        );
        const shown = found.map(({ info, tags }) => ({
          info,
          data: { tags: [...tags].map(([key, value]) => ({ key, value })) },
        }));
        return fine(shown.length > 0 ? { runs: shown } : {});
      }
      case '/api/2.0/mlflow/runs/create': {
        const { tags, ...rest } = body;
        const info = { ...rest, run_id: `r${this.runs.length}`, status: 'RUNNING' };
        const known = new Map<string, string>(tags.map(({ key, value }: Json) => [key, value]));
        this.runs.push({ info, deleted: false, tags: known, params: new Map(), metrics: new Map() });
        return fine({ run: { info, data: { tags } } });
      }
      case '/api/2.0/mlflow/runs/delete':
        run!.deleted = true;
        return fine({});
      case '/api/2.0/mlflow/runs/update':
        Object.assign(run!.info, body);
        return fine({});
      case '/api/2.0/mlflow/runs/log-batch':
        return this.#log(run!, body) ? fine({}) : bad('INVALID_PARAMETER_VALUE');
      default:
        return { status: 404, body: {} };
    }
  }

  #log(run: FakeRun, { metrics = [], params = [], tags = [] }: Json): boolean {
    const names = [...metrics, ...params].map(({ key }: Json) => key);
    if (!names.every(name => /^[\w.\- :/]+$/.test(name)) || metrics.length > 1000 || params.length > 100) return false;
    if (params.some(({ key, value }: Json) => (run.params.get(key) ?? value) !== value)) return false;
    for (const { key, value } of params) run.params.set(key, value);
    for (const one of metrics) run.metrics.set(JSON.stringify([one.key, one.timestamp, one.step, one.value]), one);
    for (const { key, value } of tags) run.tags.set(key, value);
    return !run.deleted;
  }
}

export class FakeTrackio extends FakeServer {
  readonly token = 'a-token-of-some-length';
  /** By log_id, over the whole project. */
  readonly logs = new Map<string, Json>();
  configs = new Map<string, Json>();
  /** Says that it took points and drops them. */
  drops = false;

  answer(path: string, { kwargs }: Json) {
    if (path === '/api/get_run_summary') {
      const own = [...this.logs.values()].filter(({ run_id }) => run_id === kwargs.run_id);
      return { status: 200, body: { data: { num_logs: own.length } } };
    }
    if (path !== '/api/bulk_log') return { status: 404, body: {} };
    if (this.seen.at(-1)!['x-trackio-write-token'] !== this.token)
      return {
        status: 400,
        body: { error: `A write_token is required, not ${this.seen.at(-1)!['x-trackio-write-token']}` },
      };
    for (const log of this.drops ? [] : kwargs.logs) {
      if (!this.logs.has(log.log_id)) this.logs.set(log.log_id, log);
      if (log.config) this.configs.set(log.run_id, log.config);
    }
    return { status: 200, body: { data: null } };
  }
}
