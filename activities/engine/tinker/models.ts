/** Models are made and let go on the service within a session, which lasts as long as somebody says that it is wanted. */
import { EngineLostError } from '../protocol/index.js';
import { type AdamParams, counting, type Numbers, RemoteModel } from './remote-model.js';
import type { Service } from './wire/service.js';

/** As the SDK has it; a service unloads the models of sessions that it has not heard of for some minutes. */
const HEARTBEAT = 10_000;
const SDK = '0.25.0';

/** A step that changes nothing but takes up what gradient there is. */
export const NO_STEP: AdamParams = { learning_rate: 0, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0 };

export interface NewModel {
  served: string;
  rank: number;
  /** Of its first weights; below 2^31. */
  seed: number;
}

export class Models {
  private session: Promise<string> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private made = 0;

  constructor(private readonly service: Service) {}

  /** @param numbers of its calls; counted from 1 where it is not to be found again */
  async create(model: NewModel, signal: AbortSignal | undefined, numbers: Numbers = counting()): Promise<RemoteModel> {
    const session_id = await this.opened();
    const body = {
      session_id,
      model_seq_id: this.made++,
      base_model: model.served,
      // The linear layers of the decoder, which is what adapters elsewhere have; the head is none of them.
      lora_config: { rank: model.rank, seed: model.seed, train_attn: true, train_mlp: true, train_unembed: false },
      type: 'create_model',
    };
    const { model_id: id } = await this.service.result('create_model', body, { signal });
    if (typeof id === 'string') return new RemoteModel(this.service, id, numbers, signal);
    throw new EngineLostError(`${this.service.name} answered create_model without a model_id`);
  }

  /** One that is only used for a while. */
  async borrow<T>(
    model: NewModel,
    signal: AbortSignal | undefined,
    use: (model: RemoteModel) => Promise<T>,
  ): Promise<T> {
    const borrowed = await this.create(model, signal);
    try {
      return await use(borrowed);
    } finally {
      await this.unload(borrowed.id);
    }
  }

  /** Takes up the gradient that a model before may have left in the place that the next one gets. */
  async wash(model: NewModel, signal: AbortSignal | undefined): Promise<void> {
    await this.borrow(model, signal, borrowed => borrowed.optimStep(NO_STEP));
  }

  /** As far as it goes: a service that lost the model has nothing to let go. */
  async unload(id: string): Promise<void> {
    await this.service.drop('unload_model', { model_id: id, type: 'unload_model' });
  }

  /** Removes what was saved at an address, as far as it goes. */
  async forget(address: string, kind: 'weights' | 'sampler_weights'): Promise<void> {
    const { model, name } = partsOf(address);
    await this.service.remove(`training_runs/${model}/checkpoints/${kind}/${name}`);
  }

  /** The adapter that was saved to sample from. */
  archive(address: string, signal: AbortSignal | undefined): Promise<Buffer> {
    const { model, rest } = partsOf(address);
    return this.service.archive(`training_runs/${model}/checkpoints/${rest}/archive`, { signal });
  }

  close(): void {
    clearInterval(this.timer);
    this.session = null;
  }

  private opened(): Promise<string> {
    this.session ??= this.open();
    this.session.catch(() => this.close());
    return this.session;
  }

  private async open(): Promise<string> {
    const body = { tags: [], user_metadata: {}, sdk_version: SDK, type: 'create_session' };
    const { session_id } = await this.service.ask('create_session', body);
    if (typeof session_id !== 'string')
      throw new EngineLostError(`${this.service.name} answered create_session without a session_id`);
    this.timer = setInterval(() => {
      void this.service.drop('session_heartbeat', { session_id, type: 'session_heartbeat' });
    }, HEARTBEAT);
    this.timer.unref();
    return session_id;
  }
}

/** `tinker://model/name`, or with a folder between. */
function partsOf(address: string): { model: string; name: string; rest: string } {
  const [model = '', ...rest] = address
    .replace(/^tinker:\/\//, '')
    .split('/')
    .map(encodeURIComponent);
  return { model, name: rest.at(-1) ?? '', rest: rest.join('/') };
}
