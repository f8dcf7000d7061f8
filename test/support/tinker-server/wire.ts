/** The server's side of the wire, written apart from the client's: requests read and checked, results written. */
import protobuf from 'protobufjs';

const root = protobuf.parse(`
syntax = "proto3";
enum DType { NONE = 0; FLOAT32 = 1; INT64 = 2; INT32 = 3; BFLOAT16 = 4; }
enum StopReason { STOP = 0; LENGTH = 1; }
message EncodedTextChunk { bytes tokens = 1; }
message Chunk { oneof chunk { EncodedTextChunk encoded_text = 1; } }
message Tensor { oneof encoding { bytes dense = 1; } DType dtype = 3; repeated int64 shape = 4; }
message Datum { repeated Chunk model_input = 1; map<string, Tensor> loss_fn_inputs = 2; }
message ForwardBackwardRequest {
  string model_id = 1; int32 seq_id = 2; repeated Datum data = 3; string loss_fn = 4;
  map<string, double> loss_fn_config = 5; bool forward_only = 6;
}
message BatchedTensor { bytes data = 1; bytes offsets = 2; DType dtype = 3; repeated int64 trailing_shape = 4; }
message ArrayRecord { string type_tag = 1; map<string, BatchedTensor> fields = 2; int64 num_datums = 3; }
message ForwardBackwardOutput { string loss_fn_output_type = 1; repeated ArrayRecord loss_fn_outputs = 2; map<string, double> metrics = 3; }
message SampledSequence { StopReason stop_reason = 1; bytes tokens = 2; optional bytes logprobs = 3; }
message SampleResponse { repeated SampledSequence sequences = 1; optional bytes prompt_logprobs = 2; }
`).root;

export interface Datum {
  /** Input and, last, the last target. */
  tokens: number[];
  weights: number[] | null;
  advantages: number[] | null;
  logprobs: number[] | null;
}

export interface PassRequest {
  model: string;
  seq: number;
  data: Datum[];
  loss: string;
  forwardOnly: boolean;
}

/** @throws Error saying what is wrong with it */
export function readPass(bytes: Uint8Array): PassRequest {
  const type = root.lookupType('ForwardBackwardRequest');
  const request = type.toObject(type.decode(bytes), { defaults: true, longs: Number }) as {
    modelId: string;
    seqId: number;
    lossFn: string;
    forwardOnly: boolean;
    data: { modelInput: { encodedText: { tokens: Buffer } }[]; lossFnInputs: Record<string, Tensor> }[];
  };
  const data = request.data.map(({ modelInput, lossFnInputs }) => {
    const input = Array.from(new Int32Array(Uint8Array.from(modelInput[0]!.encodedText.tokens).buffer));
    const targets = numbers('target_tokens', lossFnInputs.target_tokens, 2)!;
    if (targets.length !== input.length || input.slice(1).some((id, i) => id !== targets[i]))
      throw new Error('target_tokens must be the input shifted by one');
    const floats = (name: string) => {
      const values = numbers(name, lossFnInputs[name], 1);
      if (values && values.length !== targets.length) throw new Error(`${name} must have ${targets.length} entries`);
      return values;
    };
    for (const name of Object.keys(lossFnInputs))
      if (!INPUTS[request.lossFn]?.includes(name)) throw new Error(`${request.lossFn} has no input ${name}`);
    return {
      tokens: [...input, targets.at(-1)!],
      weights: floats('weights'),
      advantages: floats('advantages'),
      logprobs: floats('logprobs'),
    };
  });
  return { model: request.modelId, seq: request.seqId, data, loss: request.lossFn, forwardOnly: request.forwardOnly };
}

/** What each loss takes: the hosted service refuses what it does not know. */
const INPUTS: Record<string, string[]> = {
  cross_entropy: ['target_tokens', 'weights'],
  importance_sampling: ['target_tokens', 'logprobs', 'advantages'],
};

interface Tensor {
  dense: Buffer;
  dtype: number;
  shape: number[];
}

function numbers(name: string, tensor: Tensor | undefined, dtype: number): number[] | null {
  if (!tensor) return null;
  if (tensor.dtype !== dtype) throw new Error(`${name} has dtype ${tensor.dtype}, expected ${dtype}`);
  const bytes = Uint8Array.from(tensor.dense).buffer;
  const values = dtype === 2 ? Array.from(new BigInt64Array(bytes), Number) : Array.from(new Float32Array(bytes));
  if (tensor.shape.join() !== String(values.length)) throw new Error(`${name} has shape ${tensor.shape}`);
  return values;
}

const bytesOf = (array: NodeJS.TypedArray) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export function writePass(logprobs: Float32Array[]): Uint8Array {
  const ends = [0];
  for (const { byteLength } of logprobs) ends.push(ends.at(-1)! + byteLength);
  const batched = {
    data: Buffer.concat(logprobs.map(bytesOf)),
    offsets: bytesOf(BigInt64Array.from(ends, BigInt)),
    dtype: 1,
  };
  const record = { typeTag: 'TensorData', fields: { logprobs: batched }, numDatums: logprobs.length };
  const type = root.lookupType('ForwardBackwardOutput');
  return type.encode(type.create({ lossFnOutputType: 'TensorData', lossFnOutputs: [record], metrics: {} })).finish();
}

export function writeSamples(sequences: { ids: number[]; logprobs: number[]; finish: string }[]): Uint8Array {
  const type = root.lookupType('SampleResponse');
  const message = {
    sequences: sequences.map(({ ids, logprobs, finish }) => ({
      stopReason: finish === 'stop' ? 0 : 1,
      tokens: bytesOf(Int32Array.from(ids)),
      logprobs: bytesOf(Float32Array.from(logprobs)),
    })),
  };
  return type.encode(type.create(message)).finish();
}
