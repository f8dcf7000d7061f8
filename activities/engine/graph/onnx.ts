/** ONNX models as bytes: the project's own subset of onnx.proto (IR version 10), encoded with protobufjs. */
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto3";
message Attribute {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; Tensor t = 5; Graph g = 6;
  repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message Node {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated Attribute attribute = 5; string domain = 7;
}
message Entry { string key = 1; string value = 2; }
message Tensor {
  repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
  repeated Entry external_data = 13; int32 data_location = 14;
}
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
message Shape { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Type { TensorType tensor_type = 1; }
message ValueInfo { string name = 1; Type type = 2; }
message Graph {
  repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
  repeated ValueInfo input = 11; repeated ValueInfo output = 12;
}
message OperatorSet { string domain = 1; int64 version = 2; }
message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8; }
`;

const root = protobuf.parse(SCHEMA, { keepCase: true }).root;
const modelType = root.lookupType('Model');

/** Element types with their codes in TensorProto.DataType. */
export const ELEMENT_TYPES = { float32: 1, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** Kinds of attribute with their codes in AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { f: 1, i: 2, s: 3, t: 4, g: 5, floats: 6, ints: 7 } as const;

export interface GraphMessage {
  name: string;
  node: NodeMessage[];
  initializer: TensorMessage[];
  input: ValueMessage[];
  output: ValueMessage[];
}

export interface NodeMessage {
  op_type: string;
  name: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: object[];
}

export interface TensorMessage {
  name: string;
  dims: number[];
  data_type: number;
  raw_data?: Uint8Array;
  external_data?: { key: string; value: string }[];
  data_location?: number;
}

export interface ValueMessage {
  name: string;
  type: object;
}

/** What an attribute may hold: integers are `i`, `{ float }` is `f`, text is `s`. */
export type Attribute = number | string | readonly number[] | { float: number } | { graph: GraphMessage };

export type Attributes = Record<string, Attribute>;

function attributeMessage(name: string, value: Attribute): object {
  const [kind, content] =
    typeof value === 'number'
      ? (['i', value] as const)
      : typeof value === 'string'
        ? (['s', Buffer.from(value)] as const)
        : 'float' in value
          ? (['f', value.float] as const)
          : 'graph' in value
            ? (['g', value.graph] as const)
            : (['ints', [...value]] as const);
  return { name, type: ATTRIBUTE_TYPES[kind], [kind]: content };
}

export function nodeMessage(
  operator: string,
  domain: string,
  input: string[],
  output: string[],
  attributes: Attributes,
): NodeMessage {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeMessage(name, value));
  return { op_type: operator, name: output[0]!, domain, input, output, attribute };
}

/** A value's declaration; without a shape only its element type is declared. */
export function valueMessage(name: string, type: ElementType, shape?: readonly (number | string)[]): ValueMessage {
  const dim = shape?.map(d => (typeof d === 'number' ? { dim_value: d } : { dim_param: d }));
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], ...(dim && { shape: { dim } }) } } };
}

/** TensorProto.DataLocation */
const EXTERNAL = 1;

/** A tensor whose bytes are handed over beside the model, as a file of its name. */
export const externalTensor = (name: string, type: ElementType, dims: readonly number[]): TensorMessage => ({
  name,
  dims: [...dims],
  data_type: ELEMENT_TYPES[type],
  external_data: [{ key: 'location', value: name }],
  data_location: EXTERNAL,
});

/** Opset 21 of the standard operators, and onnxruntime's own in com.microsoft. */
export function encodeModel(graph: GraphMessage): Uint8Array {
  const model = {
    ir_version: 10,
    producer_name: 'longhaul',
    graph,
    opset_import: [
      { domain: '', version: 21 },
      { domain: 'com.microsoft', version: 1 },
    ],
  };
  return modelType.encode(modelType.create(model)).finish();
}
