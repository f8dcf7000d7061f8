/**
 * The wire's messages in protobuf, package tinker_public of the SDK 0.25: forward_backward's request, and the results of
 * passes and samples. Byte fields are little-endian arrays: tokens int32, log-probabilities float32, offsets int64.
 */
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto3";
package tinker_public;
message EncodedText { bytes tokens = 1; }
message Chunk { oneof chunk { EncodedText encoded_text = 1; } }
message Tensor { oneof encoding { bytes dense = 1; } int32 dtype = 3; repeated int64 shape = 4; }
message Datum { repeated Chunk model_input = 1; map<string, Tensor> loss_fn_inputs = 2; }
message ForwardBackwardRequest {
  string model_id = 1; int32 seq_id = 2; repeated Datum data = 3; string loss_fn = 4;
  map<string, double> loss_fn_config = 5; bool forward_only = 6;
}
message BatchedTensor { bytes data = 1; bytes offsets = 2; int32 dtype = 3; repeated int64 trailing_shape = 4; }
message ArrayRecord { string type_tag = 1; map<string, BatchedTensor> fields = 2; int64 num_datums = 3; }
message ForwardBackwardOutput {
  string loss_fn_output_type = 1; repeated ArrayRecord loss_fn_outputs = 2; map<string, double> metrics = 3;
}
message SampledSequence { int32 stop_reason = 1; bytes tokens = 2; optional bytes logprobs = 3; }
message SampleResponse { repeated SampledSequence sequences = 1; optional bytes prompt_logprobs = 2; }
`;

const root = protobuf.parse(SCHEMA).root;
const type = (name: string): protobuf.Type => root.lookupType(`tinker_public.${name}`);
const [REQUEST, PASS, SAMPLES] = ['ForwardBackwardRequest', 'ForwardBackwardOutput', 'SampleResponse'].map(type) as [
  protobuf.Type,
  protobuf.Type,
  protobuf.Type,
];

const DTYPES = { float32: 1, int64: 2 } as const;

/** One sequence of a pass. Predicted are its tokens but the first: T = tokens.length - 1, and arrays have T entries. */
export interface Datum {
  tokens: readonly number[];
  /** Arrays beside the targets, as the loss function names them. */
  inputs: Readonly<Record<string, ArrayLike<number>>>;
}

export interface PassCall {
  model: string;
  data: readonly Datum[];
  loss: 'cross_entropy' | 'importance_sampling';
  forwardOnly: boolean;
}

/** The request but for its number. */
export function encodePass({ model, data, loss, forwardOnly }: PassCall): Uint8Array {
  return REQUEST.encode(
    REQUEST.create({
      modelId: model,
      lossFn: loss,
      forwardOnly,
      data: data.map(({ tokens, inputs }) => ({
        modelInput: [{ encodedText: { tokens: bytesOf(Int32Array.from(tokens.slice(0, -1))) } }],
        lossFnInputs: {
          target_tokens: tensor('int64', BigInt64Array.from(tokens.slice(1), BigInt)),
          ...Object.fromEntries(
            Object.entries(inputs).map(([name, values]) => [name, tensor('float32', Float32Array.from(values))]),
          ),
        },
      })),
    }),
  ).finish();
}

/** Fields may come in any order, so the number goes last. */
export const withSeq = (request: Uint8Array, seq: number): Uint8Array =>
  Buffer.concat([request, REQUEST.encode(REQUEST.create({ seqId: seq })).finish()]);

/** Log-probabilities of each datum's T targets. @throws Error for bytes that are no such message */
export function decodePass(bytes: Uint8Array): Float32Array[] {
  const { lossFnOutputs } = PASS.decode(bytes) as unknown as { lossFnOutputs: { fields: Record<string, Batched> }[] };
  return lossFnOutputs.flatMap(({ fields }) => {
    const { data, offsets } = fields.logprobs ?? { data: new Uint8Array(), offsets: new Uint8Array() };
    const at = Array.from(numbers(offsets, BigInt64Array), Number);
    return at.slice(1).map((end, i) => numbers(data.subarray(at[i], end), Float32Array));
  });
}

export interface SampledSequence {
  tokens: number[];
  logprobs: number[];
  finish: 'stop' | 'length';
}

/** @throws Error for bytes that are no such message */
export function decodeSamples(bytes: Uint8Array): SampledSequence[] {
  const { sequences } = SAMPLES.decode(bytes) as unknown as {
    sequences: { stopReason: number; tokens: Uint8Array; logprobs?: Uint8Array }[];
  };
  return sequences.map(({ stopReason, tokens, logprobs }) => ({
    tokens: Array.from(numbers(tokens, Int32Array)),
    logprobs: Array.from(numbers(logprobs ?? new Uint8Array(), Float32Array)),
    finish: stopReason === 0 ? 'stop' : 'length',
  }));
}

interface Batched {
  data: Uint8Array;
  offsets: Uint8Array;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const tensor = (dtype: keyof typeof DTYPES, values: Float32Array | BigInt64Array) => ({
  dense: bytesOf(values),
  dtype: DTYPES[dtype],
  shape: [values.length],
});

/** protobufjs gives views at any offset, which are copied to be read as numbers. */
const numbers = <T>(bytes: Uint8Array, Kind: new (buffer: ArrayBuffer) => T): T =>
  new Kind(Uint8Array.from(bytes).buffer);
