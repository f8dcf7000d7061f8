/** Tables of rotary angles (RoFormer, arXiv 2104.09864), rounded to 32 bits where transformers rounds. */
import type * as ort from 'onnxruntime-node';
import type { DecoderConfig } from './config.js';
import { floats } from './session.js';

/** Cosines and sines [positions, headDim / 2], grown as longer sequences come. */
export class RotaryTable {
  private cosine: Float32Array = new Float32Array(0);
  private sine: Float32Array = new Float32Array(0);
  private length = 0;

  constructor(private readonly config: DecoderConfig) {}

  /** Feeds for decoder.ts's rotaryInputs, covering at least positions 0 to `positions` - 1. */
  feeds(positions: number): { rotary_cosine: ort.Tensor; rotary_sine: ort.Tensor } {
    if (positions > this.length) this.grow(Math.max(256, 2 ** Math.ceil(Math.log2(positions))));
    const dims = [this.length, this.config.headDim / 2];
    return { rotary_cosine: floats(this.cosine, dims), rotary_sine: floats(this.sine, dims) };
  }

  private grow(length: number): void {
    const { headDim, ropeTheta } = this.config;
    const half = headDim / 2;
    const frequencies = Float32Array.from(
      { length: half },
      (_, i) => 1 / Math.fround(ropeTheta ** ((2 * i) / headDim)),
    );
    this.cosine = new Float32Array(length * half);
    this.sine = new Float32Array(length * half);
    for (let position = 0; position < length; position++)
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(position * frequencies[i]!);
        this.cosine[position * half + i] = Math.cos(angle);
        this.sine[position * half + i] = Math.sin(angle);
      }
    this.length = length;
  }
}
