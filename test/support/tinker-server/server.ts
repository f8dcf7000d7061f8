/** A server of the Tinker protocol over HTTP: exact arithmetic on a tiny model, every known difference, and faults on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packedAdapter } from './archive';
import { type Behaviour, SKYRL } from './behaviour';
import { Compute } from './compute';
import type { AdamParams } from './live-model';
import { Refusal, type SampleRequest, State } from './state';
import { readPass } from './wire';

/** What happens at a request: the server ends before it is served, or after, its result being in the database by then. */
export type Fault = 'ends before' | 'ends after' | 'breaks before' | 'breaks after' | 'hangs' | 'forgets' | 'fails';

export interface SeenRequest {
  path: string;
  /** As parsed; null of protobuf. */
  body: Record<string, unknown> | null;
  key: string | undefined;
}

const FIELDS: Record<string, string[]> = {
  create_session: ['tags', 'user_metadata', 'sdk_version'],
  session_heartbeat: ['session_id'],
  create_model: ['session_id', 'model_seq_id', 'base_model', 'user_metadata', 'lora_config'],
  optim_step: ['adam_params', 'model_id', 'seq_id'],
  save_weights: ['model_id', 'path', 'seq_id'],
  save_weights_for_sampler: ['model_id', 'path', 'sampling_session_seq_id', 'seq_id'],
  load_weights: ['model_id', 'path', 'optimizer', 'seq_id'],
  unload_model: ['model_id'],
  asample: [
    'num_samples',
    'prompt',
    'sampling_params',
    'base_model',
    'model_path',
    'sampling_session_id',
    'seq_id',
    'prompt_logprobs',
  ],
  retrieve_future: ['request_id'],
};
const ADAM = ['learning_rate', 'beta1', 'beta2', 'eps', 'weight_decay'];
/** Milliseconds for which a promise's request is held. */
const HOLD = 200;
const PROTOBUF = 'application/x-protobuf';

type Body = Record<string, unknown> & { model_id: string; seq_id: number; path: string };

export class TinkerServer {
  readonly requests: SeenRequest[] = [];
  /** Asked at each request, in order; what it gives happens. */
  fault: (request: SeenRequest, index: number) => Fault | null = () => null;
  url = '';
  state: State;
  private readonly hung = new Set<string>();
  private readonly forgotten = new Set<string>();
  private server: Server | undefined;

  private constructor(
    readonly behaviour: Behaviour,
    private readonly compute: Compute,
  ) {
    this.state = new State(compute, behaviour);
  }

  static async start(directory: string, over: Partial<Behaviour> = {}): Promise<TinkerServer> {
    const server = new TinkerServer({ ...SKYRL, ...over }, await Compute.open(directory));
    await server.listen();
    return server;
  }

  /** Another, that knows nothing, with the same graphs. */
  async another(over: Partial<Behaviour> = {}): Promise<TinkerServer> {
    const server = new TinkerServer({ ...this.behaviour, ...over }, this.compute);
    await server.listen();
    return server;
  }

  async stop(): Promise<void> {
    this.server!.closeAllConnections();
    await new Promise(stopped => this.server!.close(stopped));
  }

  async release(): Promise<void> {
    await this.stop();
    await this.compute.release();
  }

  private async listen(): Promise<void> {
    this.server = createServer((request, response) => void this.receive(request, response));
    await new Promise<void>(started => this.server!.listen(0, '127.0.0.1', started));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const path = request.url!.replace(/^\/api\/v1\//, '');
    const proto = request.headers['content-type'] === PROTOBUF;
    const body = bytes.length > 0 && !proto ? (JSON.parse(bytes.toString()) as Body) : null;
    const key = request.headers['x-api-key'] as string | undefined;
    const seen = { path, body, key };
    const fault = this.fault(seen, this.requests.length);
    this.requests.push(seen);
    const end = (): void => {
      this.state.restart();
      response.socket?.resetAndDestroy();
    };
    if (fault === 'ends before') return end();
    if (fault === 'breaks before') return void response.socket?.resetAndDestroy();
    if (fault === 'fails') return json(response, 503, { detail: 'overloaded' });
    try {
      this.admit(seen, path);
      if (path === 'retrieve_future')
        return await this.keep(String(body!.request_id), request, response, fault === 'ends after' ? end : null);
      const answer = await this.serve(request.method!, path, body, proto ? bytes : null);
      const promised = (answer as { request_id?: string }).request_id;
      if (promised && fault === 'hangs') this.hung.add(promised);
      if (promised && fault === 'forgets') this.forgotten.add(promised);
      if (fault === 'ends after' || fault === 'breaks after') {
        if (promised) await this.state.promises.get(promised)!.kept;
        return fault === 'ends after' ? end() : void response.socket?.resetAndDestroy();
      }
      if (Buffer.isBuffer(answer)) response.writeHead(200, { 'Content-Type': 'application/gzip' }).end(answer);
      else if ('location' in answer) response.writeHead(302, { Location: String(answer.location) }).end();
      else json(response, 200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      json(response, error.status, { detail: error.message });
    }
  }

  private admit({ key, body }: SeenRequest, path: string): void {
    const { behaviour } = this;
    if (behaviour.key !== null && key !== behaviour.key) throw new Refusal(401, `Invalid API key ${key}`);
    if (behaviour.strict && body && FIELDS[path]) {
      const extra = Object.keys(body).find(field => field !== 'type' && !FIELDS[path]!.includes(field));
      if (extra) throw new Refusal(422, `Extra inputs are not permitted: ${extra}`);
    }
    const version = body?.sdk_version as string | undefined;
    if (version && behaviour.leastSdk && version.localeCompare(behaviour.leastSdk, 'en', { numeric: true }) < 0)
      throw new Refusal(
        400,
        `SDK version ${version} is no longer supported: upgrade to ${behaviour.leastSdk} or later`,
      );
    const adam = body?.adam_params as Record<string, number> | undefined;
    const known = [...ADAM, ...(behaviour.clipping === 'unknown' ? [] : ['grad_clip_norm'])];
    const strange = behaviour.strict && adam && Object.keys(adam).find(field => !known.includes(field));
    if (strange) throw new Refusal(422, `Extra inputs are not permitted: adam_params.${strange}`);
  }

  private async serve(method: string, path: string, body: Body | null, proto: Buffer | null): Promise<object | Buffer> {
    const { state, behaviour } = this;
    if (method === 'DELETE') return this.remove(path);
    if (path.endsWith('/archive') || path.endsWith('/download')) return this.archive(path);
    if (path === 'forward_backward') return { request_id: this.pass(proto) };
    const promised = (seq: number, job: () => Promise<{ json: object } | { protobuf: Uint8Array }>) => ({
      request_id: state.promise(body!.model_id ?? '', seq, { path, ...body }, job),
    });
    switch (path) {
      case 'get_server_capabilities':
        return {
          supported_models: [
            {
              model_name: behaviour.served,
              ...(behaviour.contextLength && { max_context_length: behaviour.contextLength }),
            },
          ],
        };
      case 'create_session':
        return { session_id: 'session' };
      case 'session_heartbeat':
        return {};
      case 'create_model': {
        const { rank, seed } = body!.lora_config as { rank: number; seed: number };
        const model = state.create(body!.base_model as string, rank, seed);
        return { model_id: model, ...promised(0, async () => ({ json: { model_id: model } })) };
      }
      case 'unload_model':
        return promised(0, async () => {
          state.unload(body!.model_id);
          return { json: {} };
        });
      case 'optim_step':
        return promised(body!.seq_id, async () =>
          state.step(body!.model_id, body!.seq_id, body!.adam_params as AdamParams),
        );
      case 'save_weights':
      case 'save_weights_for_sampler': {
        const kind = path === 'save_weights' ? 'weights' : 'sampler';
        state.claim(body!.model_id, kind, body!.path);
        return promised(0, async () => state.save(body!.model_id, body!.path, kind));
      }
      case 'load_weights':
        return promised(0, async () => state.loadWeights(body!.model_id, body!.path, body!.optimizer as boolean));
      case 'asample':
        return {
          request_id: state.promise('', 0, null, () => state.sample(body as unknown as SampleRequest), 'sampler'),
        };
    }
    throw new Refusal(404, `Not Found: ${path}`);
  }

  private pass(proto: Buffer | null): string {
    if (!proto || this.behaviour.jsonOnly)
      throw new Refusal(this.behaviour.jsonOnly ? 422 : 415, 'Input should be a valid dictionary');
    let request: ReturnType<typeof readPass>;
    try {
      request = readPass(proto);
    } catch (error) {
      throw new Refusal(400, (error as Error).message);
    }
    return this.state.promise(request.model, request.seq, request, () => this.state.pass(request));
  }

  private async keep(
    id: string,
    request: IncomingMessage,
    response: ServerResponse,
    ends: (() => void) | null,
  ): Promise<void> {
    const promise = this.state.promises.get(id);
    if (!promise) throw new Refusal(404, `Unknown request ${id}`);
    if (this.forgotten.delete(id)) throw new Refusal(410, `Promise ${id} is gone`);
    if (!this.hung.has(id)) await Promise.race([promise.kept, new Promise(held => setTimeout(held, HOLD).unref())]);
    if (ends) return ends();
    const { result } = promise;
    if (!result || this.hung.has(id)) {
      if (this.behaviour.waiting === '408') throw new Refusal(408, 'not yet');
      return json(response, 200, { type: 'try_again', request_id: id, queue_state: 'active' });
    }
    if ('refusal' in result) throw result.refusal;
    if ('json' in result) return json(response, 200, result.json);
    if (request.headers.accept !== PROTOBUF) throw new Refusal(406, 'the result is in protobuf');
    response.writeHead(200, { 'Content-Type': PROTOBUF }).end(result.protobuf);
  }

  private async archive(path: string): Promise<object | Buffer> {
    const [, model, name, last] = /^training_runs\/([^/]+)\/checkpoints\/(.+)\/(archive|download)$/.exec(path)!;
    if (last === 'archive' && this.behaviour.redirects)
      return {
        location: path
          .replace(/.*\/checkpoints/, `/api/v1/training_runs/${model}/checkpoints`)
          .replace(/archive$/, 'download'),
      };
    const saved = this.state.samplers.get(`tinker://${model}/${name}`);
    if (!saved) throw new Refusal(404, `Checkpoint not found: ${name}`);
    return packedAdapter(saved.adapter, this.behaviour.namesNoLayers);
  }

  private remove(path: string): object {
    const [, model, kind, name] = /^training_runs\/([^/]+)\/checkpoints\/(weights|sampler_weights)\/(.+)$/.exec(path)!;
    const { checkpoints, samplers } = this.state;
    const there =
      kind === 'weights'
        ? checkpoints.delete(`tinker://${model}/weights/${name}`)
        : samplers.delete(`tinker://${model}/${this.behaviour.samplerFolder}${name}`);
    if (!there) throw new Refusal(404, `Checkpoint not found: ${name}`);
    return {};
  }
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}
