/** In what servers of the Tinker protocol differ, as switches; and four that are known, as settings of them. */

export interface Behaviour {
  /** How one gradient is made of many tokens'. */
  reduction: 'sum' | 'mean of means' | 'mean of sums' | 'sum of means' | 'token mean';
  /** Which data a mean is over. */
  reducedOver: 'step' | 'call';
  /** Of sampled log-probabilities. */
  sampledAt: 'one' | 'temperature';
  /** Whether `grad_clip_norm` is obeyed, passed over, or no known field. */
  clipping: 'obeyed' | 'ignored' | 'unknown';
  /** The end token that ends a response by itself; null: none does. */
  endToken: number | null;
  /** Refuses fields that its schema does not have. */
  strict: boolean;
  normMetric: string | null;
  /** How a promise that is not yet kept is answered. */
  waiting: 'try_again' | '408';
  /** What a restart leaves of models: nothing, while old promises are answered as before; or their newest checkpoints. */
  restart: 'forgets' | 'restores';
  /** Models at a time. */
  slots: number;
  /** Gradients of an unloaded model stay in its slot. */
  leavesGradients: boolean;
  /** Weight decay of one model shrinks all. */
  decaysAll: boolean;
  /** Sampling a checkpoint of a live model puts its weights into the model. */
  samplesFromModel: boolean;
  /** Samples of a checkpoint are of the model as it is now. */
  samplesNewest: boolean;
  /** Sampling takes away the gradients that wait for a step. */
  samplesOverGradients: boolean;
  /** Sampler checkpoints go with their model. */
  samplersEndWithModel: boolean;
  /** Where sampler checkpoints are: `tinker://model/name`, or with a folder between. */
  samplerFolder: '' | 'sampler_weights/';
  /** The archive lies elsewhere, under an address that is given for it. */
  redirects: boolean;
  /** Only this key is let in; null: any. */
  key: string | null;
  /** adapter_config.json names no layers. */
  namesNoLayers: boolean;
  alpha: number;
  maxRank: number;
  contextLength: number | null;
  served: string;
  /** Speaks JSON alone, as the SDK did until 0.20. */
  jsonOnly: boolean;
  /** Lets in clients of this version of the SDK and later ones alone; null: all. */
  leastSdk: string | null;
}

/** SkyRL 0.4 with its JAX backend. */
export const SKYRL: Behaviour = {
  reduction: 'mean of means',
  reducedOver: 'step',
  sampledAt: 'one',
  clipping: 'ignored',
  endToken: null,
  strict: false,
  normMetric: 'skyrl.ai/grad_norm',
  waiting: 'try_again',
  restart: 'forgets',
  slots: 3,
  leavesGradients: true,
  decaysAll: true,
  samplesFromModel: true,
  samplesNewest: false,
  samplesOverGradients: false,
  samplersEndWithModel: false,
  samplerFolder: '',
  redirects: true,
  key: null,
  namesNoLayers: true,
  alpha: 32,
  maxRank: 32,
  contextLength: null,
  served: 'base',
  jsonOnly: false,
  leastSdk: null,
};

/** The hosted service. */
export const HOSTED: Behaviour = {
  ...SKYRL,
  reduction: 'sum',
  sampledAt: 'temperature',
  clipping: 'obeyed',
  endToken: 1,
  strict: true,
  normMetric: 'unclipped_grad_l2:mean',
  waiting: '408',
  leavesGradients: false,
  decaysAll: false,
  samplesFromModel: false,
  samplerFolder: 'sampler_weights/',
  key: 'tml-0123456789abcdef',
  namesNoLayers: false,
  contextLength: 512,
  slots: 16,
};

/** TuFT, whose models come back as they were last saved. */
export const TUFT: Behaviour = {
  ...HOSTED,
  reduction: 'token mean',
  reducedOver: 'call',
  clipping: 'unknown',
  key: null,
  normMetric: 'grad_norm',
  waiting: 'try_again',
  restart: 'restores',
  redirects: false,
};

/** SkyRL's trainers on GPUs. */
export const SKYRL_TRAIN: Behaviour = {
  ...SKYRL,
  reduction: 'sum',
  sampledAt: 'temperature',
  samplesFromModel: false,
  endToken: 1,
};

export const SERVERS = { SkyRL: SKYRL, 'SkyRL on GPUs': SKYRL_TRAIN, hosted: HOSTED, TuFT: TUFT };
