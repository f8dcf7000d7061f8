/** Where graphs run: onnxruntime's execution providers, what each needs, and how its runs are cut. */
import * as ort from 'onnxruntime-node';
import { EngineRequestError } from '../protocol/index.js';
import { Graph, type Lowerings } from './graph.js';
import { WEBGPU_LOWERINGS } from './lowerings.js';
import { encodeModel } from './onnx.js';

interface ProviderRules {
  /** What must be there, for whoever meets its absence. */
  needs: string;
  /** Tokens decoded in one run. Weights fed from the CPU cross to a device once a run, so there runs are long. */
  decodeChunk: number;
  /** Bytes of weights from which on a policy's are constants of its decoding graphs: those have to be made anew for each policy. */
  constantsFrom: number;
  /** What it has no kernel for, in operators that it has. */
  lowerings: Lowerings;
}

export const PROVIDERS = {
  cpu: {
    needs: 'nothing beside the package onnxruntime-node',
    decodeChunk: 32,
    constantsFrom: 64 * 2 ** 20,
    lowerings: {},
  },
  cuda: {
    needs:
      "an NVIDIA driver, CUDA 12 with cuDNN 9, and onnxruntime-node's CUDA libraries: " +
      '`node node_modules/onnxruntime-node/script/install.js` fetches these (the set-up skips it)',
    decodeChunk: 256,
    constantsFrom: Number.POSITIVE_INFINITY,
    lowerings: {},
  },
  webgpu: {
    needs:
      'a GPU with a Vulkan, Metal or Direct3D 12 driver; on Linux that is libvulkan.so.1 and a driver that is new enough ' +
      "(Mesa 22.3, Debian 12's, is too old, 25.0 is not), and a warning just before this one says which is missing",
    decodeChunk: 256,
    constantsFrom: Number.POSITIVE_INFINITY,
    lowerings: WEBGPU_LOWERINGS,
  },
} as const satisfies Record<string, ProviderRules>;

export type Provider = keyof typeof PROVIDERS;

/**
 * Runs a sum on the provider.
 * @throws EngineRequestError (unsupported) with onnxruntime's reason and what the provider needs
 */
export async function expectProvider(provider: Provider): Promise<void> {
  const g = new Graph('trial');
  const x = g.input('x', 'float32', [1]);
  g.output('y', g.op('Add', [x, x]));
  try {
    const session = await ort.InferenceSession.create(encodeModel(g.message()), { executionProviders: [provider] });
    await session.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) });
    await session.release();
  } catch (error) {
    // Behind onnxruntime's own file, function and condition.
    const reason = (error as Error).message.split('\n')[0]!.replace(/^\/\S+ .* was false\. /, '');
    throw new EngineRequestError(
      `the execution provider "${provider}" cannot be used here: ${reason}. It needs ${PROVIDERS[provider].needs}. ` +
        'Put that in place, or take the provider "cpu"',
      'unsupported',
    );
  }
}
