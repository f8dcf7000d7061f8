/** What is told of a model. */
import type { ModelSummary } from '../protocol/index.js';
import { type DecoderConfig, expectedTensors } from './config.js';

export function modelSummary(config: DecoderConfig): ModelSummary {
  const sizes = [...expectedTensors(config).values()].map(shape => shape.reduce((a, b) => a * b, 1));
  return {
    architecture: config.architecture,
    parameters: sizes.reduce((a, b) => a + b, 0),
    vocabularySize: config.vocabularySize,
    contextLength: config.contextLength,
    layers: config.layers,
    hiddenSize: config.hiddenSize,
  };
}
