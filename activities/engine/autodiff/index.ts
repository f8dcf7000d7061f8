/** Reverse-mode differentiation: one table of rules, and the operators that bring a rule of their own. */
export { packedAttention } from './attention.js';
export { backpropagate, gradients, type Seed } from './gradients.js';
export { tokenLogprobs } from './logprobs.js';
export { type Likeliest, leastKept, ofNucleus, withinNucleus } from './nucleus.js';
export { batchedProduct, constantProduct, product, rowwiseProduct } from './product.js';
export { stopGradient } from './stop-gradient.js';
export { type Truncation, truncationFeeds, truncationInputs } from './truncation.js';
