/**
 * Tables of rotary angles (RoFormer, arXiv 2104.09864), scaled or not, rounded to 32 bits wherever transformers rounds: at
 * position 100,000 the last bit of a frequency already turns the angle by some hundredths.
 */
import type * as ort from 'onnxruntime-node';
import { floats } from '../graph/index.js';
import type { DecoderConfig } from './config.js';
import type { RopeScaling } from './rope-scaling.js';

const f32 = Math.fround;

/** A scaled kind's frequencies from those unscaled; `periods` are the positions a radian takes, the inverse of `plain`. */
type Scale<S extends RopeScaling> = (
  scaling: S,
  plain: Float32Array,
  model: { theta: number; headDim: number; periods: Float32Array },
) => Float32Array;

/** Float32Array.map rounds each result to 32 bits; what is rounded on the way to it is said with f32. */
const SCALES: { [K in RopeScaling['kind']]: Scale<Extract<RopeScaling, { kind: K }>> } = {
  linear: ({ factor }, plain) => plain.map(frequency => frequency / f32(factor)),

  llama3: ({ factor, lowFreqFactor, highFreqFactor, originalContext }, plain) => {
    const longest = f32(originalContext / lowFreqFactor);
    const shortest = f32(originalContext / highFreqFactor);
    return plain.map(frequency => {
      const wavelength = f32(f32(2 * Math.PI) / frequency);
      if (wavelength < shortest) return frequency;
      if (wavelength > longest) return frequency / f32(factor);
      const rotations = f32(f32(originalContext) / wavelength);
      const kept = f32(f32(rotations - f32(lowFreqFactor)) / f32(highFreqFactor - lowFreqFactor));
      return f32(f32(f32(1 - kept) * frequency) / f32(factor)) + f32(kept * frequency);
    });
  },

  yarn: ({ factor, betaFast, betaSlow, originalContext, truncate }, plain, { theta, headDim, periods }) => {
    /** The dimension, not always whole, that turns so often over the original context. */
    const dimension = (rotations: number): number =>
      (headDim * Math.log(originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
    const [first, last] = [dimension(betaFast), dimension(betaSlow)];
    const from = Math.max(truncate ? Math.floor(first) : first, 0);
    const to = Math.min(truncate ? Math.ceil(last) : last, headDim - 1);
    const width = f32(to === from ? 0.001 : to - from);
    return plain.map((frequency, i) => {
      const ramp = Math.min(Math.max(f32(f32(i - f32(from)) / width), 0), 1);
      const kept = f32(1 - ramp);
      const interpolated = f32(1 / f32(f32(factor) * periods[i]!));
      return f32(interpolated * f32(1 - kept)) + f32(frequency * kept);
    });
  },
};

/** @returns radians per position [headDim / 2], rounded as transformers rounds */
export function rotaryFrequencies({ ropeTheta: theta, ropeScaling, headDim }: DecoderConfig): Float32Array {
  const periods = Float32Array.from({ length: headDim / 2 }, (_, i) => theta ** f32((2 * i) / headDim));
  const plain = periods.map(period => 1 / period);
  if (!ropeScaling) return plain;
  const scale = SCALES[ropeScaling.kind] as Scale<RopeScaling>;
  return scale(ropeScaling, plain, { theta, headDim, periods });
}

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
    const { headDim, ropeScaling } = this.config;
    const half = headDim / 2;
    const frequencies = rotaryFrequencies(this.config);
    const scale = ropeScaling?.kind === 'yarn' ? f32(ropeScaling.attentionFactor) : 1;
    this.cosine = new Float32Array(length * half);
    this.sine = new Float32Array(length * half);
    for (let position = 0; position < length; position++)
      for (let i = 0; i < half; i++) {
        const angle = f32(position * frequencies[i]!);
        this.cosine[position * half + i] = f32(Math.cos(angle)) * scale;
        this.sine[position * half + i] = f32(Math.sin(angle)) * scale;
      }
    this.length = length;
  }
}
