/**
 * A process of its own that makes sessions of the models in a folder and lets onnxruntime say, on standard error, on which
 * provider it puts each node. Plain JavaScript: it runs beside Jest, not in it.
 */
const { readFileSync, writeSync } = require('node:fs');
const ort = require('onnxruntime-node');

async function main(file) {
  for (const { bytes, options } of JSON.parse(readFileSync(file, 'utf8'))) {
    writeSync(2, '\na session\n');
    const session = await ort.InferenceSession.create(Buffer.from(bytes, 'base64'), {
      ...options,
      logSeverityLevel: 0,
    });
    await session.release();
  }
}

main(process.argv[2]);
