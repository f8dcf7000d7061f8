/**
 * Jest runs tests in a vm context with typed-array classes of its own, which onnxruntime-node's `instanceof` checks
 * refuse. This environment gives the tests the outer classes instead.
 */
const { TestEnvironment } = require('jest-environment-node');

const OUTER = [
  'ArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
];

class EngineEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of OUTER) this.global[name] = globalThis[name];
  }
}

module.exports = EngineEnvironment;
