/** Points as TensorBoard's events: the part of its schema that scalars, texts and hyperparameters need. */
import protobuf from 'protobufjs';
import type { Point } from '../points.js';
import type { Settings } from '../settings.js';

/** tensorflow.Event with what is below it, and the hparams plugin's data; google.protobuf.Value as far as it is used. */
const SCHEMA = `
syntax = "proto3";
message PluginData { string plugin_name = 1; bytes content = 2; }
message Metadata { PluginData plugin_data = 1; int32 data_class = 4; }
message Dimension { int64 size = 1; }
message Shape { repeated Dimension dim = 2; }
message Tensor { int32 dtype = 1; Shape tensor_shape = 2; repeated float float_val = 5; repeated bytes string_val = 8; }
message Value { string tag = 1; Metadata metadata = 9; Tensor tensor = 8; }
message Summary { repeated Value value = 1; }
message Source { string writer = 1; }
message Event {
  double wall_time = 1; int64 step = 2;
  oneof what { string file_version = 3; Summary summary = 5; }
  Source source_metadata = 10;
}
message Setting { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }
message SessionStart { map<string, Setting> hparams = 1; double start_time_secs = 5; }
message HParams { int32 version = 1; SessionStart session_start_info = 3; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });
const eventType = root.lookupType('Event');
const hparamsType = root.lookupType('HParams');

/** Codes of types.proto and of summary.proto. */
const FLOAT = 1;
const STRING = 7;
const SCALARS = 1;
const TENSORS = 2;

export interface SummaryValue {
  tag: string;
  metadata: { plugin_data: { plugin_name: string; content?: Uint8Array }; data_class?: number };
  tensor: { dtype: number; tensor_shape: object; float_val?: number[]; string_val?: Uint8Array[] };
}

export interface EventMessage {
  wall_time: number;
  step: number;
  file_version?: string;
  summary?: { value: SummaryValue[] };
}

const WRITER = 'longhaul';

/** The record that every event file begins with. */
export function versionEvent(time: Date): Uint8Array {
  return encoded({ wall_time: seconds(time), step: 0, file_version: 'brain.Event:2' });
}

/** A point is one record, so that a file has a whole number of them. */
export function pointEvent(point: Point): Uint8Array {
  const { at, time, metrics, texts, settings } = point;
  const value = [
    ...Object.entries(metrics).map(([tag, number]) => scalar(tag, number)),
    ...Object.entries(texts).map(([tag, text]) => textValue(tag, text)),
    ...(settings ? [hyperparameters(settings, time)] : []),
  ];
  return encoded({ wall_time: seconds(time), step: at, summary: { value } });
}

export function decodedEvent(data: Uint8Array): EventMessage {
  return eventType.toObject(eventType.decode(data), { longs: Number }) as EventMessage;
}

function encoded(event: EventMessage): Uint8Array {
  return eventType.encode(eventType.create({ ...event, source_metadata: { writer: WRITER } })).finish();
}

const seconds = (time: Date) => time.getTime() / 1000;

function scalar(tag: string, number: number): SummaryValue {
  return {
    tag,
    metadata: { plugin_data: { plugin_name: 'scalars' }, data_class: SCALARS },
    tensor: { dtype: FLOAT, tensor_shape: {}, float_val: [number] },
  };
}

function textValue(tag: string, text: string): SummaryValue {
  return {
    tag,
    metadata: { plugin_data: { plugin_name: 'text' }, data_class: TENSORS },
    tensor: { dtype: STRING, tensor_shape: {}, string_val: [Buffer.from(text)] },
  };
}

function hyperparameters(settings: Settings, time: Date): SummaryValue {
  const hparams = Object.fromEntries(Object.entries(settings).map(([path, value]) => [path, setting(value)]));
  const start = { hparams, start_time_secs: seconds(time) };
  const content = hparamsType.encode(hparamsType.create({ version: 0, session_start_info: start })).finish();
  return {
    tag: '_hparams_/session_start_info',
    metadata: { plugin_data: { plugin_name: 'hparams', content } },
    // Without content, as TensorBoard's own writer has it.
    tensor: { dtype: FLOAT, tensor_shape: { dim: [{ size: 0 }] } },
  };
}

function setting(value: string | number | boolean): object {
  if (typeof value === 'number') return { number_value: value };
  return typeof value === 'string' ? { string_value: value } : { bool_value: value };
}
