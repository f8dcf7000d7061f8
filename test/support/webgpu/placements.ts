/** On which provider onnxruntime puts each node of models, and what types of numbers go into it and come out of it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { CapturedModel } from './captured-models';

export interface PlacedNode {
  /** Its graph's name. */
  model: string;
  /** As onnxruntime's optimisers left it. */
  operator: string;
  name: string;
  device: boolean;
  /** Null of a node that onnxruntime put there itself. */
  types: NodeTypes | null;
}

export interface NodeTypes {
  inputs: string[];
  outputs: string[];
}

const HEADING = /VerifyEachNodeIsAssignedToAnEp\]\s+(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)/;
const NODE = /VerifyEachNodeIsAssignedToAnEp\]\s+(\w+) \((.*)\)$/;

/**
 * @param environment of the process in which sessions are made
 * @throws with the process's last words where a session could not be made
 */
export function placements(models: readonly CapturedModel[], environment: NodeJS.ProcessEnv): PlacedNode[] {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-placements-'));
  try {
    const file = join(folder, 'models.json');
    writeFileSync(
      file,
      JSON.stringify(models.map(({ bytes, options }) => ({ options, bytes: Buffer.from(bytes).toString('base64') }))),
    );
    const child = spawnSync(process.execPath, [join(__dirname, 'place.js'), file], {
      env: environment,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    const parts = child.stderr.split(/^a session$/m).slice(1);
    if (child.status !== 0 || parts.length !== models.length)
      throw new Error(`sessions of ${parts.length} of ${models.length} models: ${child.stderr.slice(-2000)}`);
    return models.flatMap((model, i) => placed(model, parts[i]!));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the log of one session. */
function placed({ bytes }: CapturedModel, log: string): PlacedNode[] {
  const { graph } = Model.toObject(Model.decode(bytes), { arrays: true, longs: Number }) as { graph: Graph };
  const model = graph.name;
  const types = typesOf(graph);
  const nodes: PlacedNode[] = [];
  let device = false;
  let announced = 0;
  const add = (operator: string, name: string) =>
    nodes.push({ model, operator, name, device, types: types.get(name) ?? null });
  for (const line of log.split('\n')) {
    const [, which, provider, count] = HEADING.exec(line) ?? [];
    const [, operator, name] = NODE.exec(line) ?? [];
    if (provider) device = provider === 'WebGpuExecutionProvider';
    if (which === 'Node(s)') announced += Number(count);
    if (operator) add(operator, name!);
    if (which !== 'All nodes') continue;
    // They are not listed then.
    for (const { op_type, name } of graph.node) add(op_type, name);
    return nodes;
  }
  if (announced === 0 || announced !== nodes.length)
    throw new Error(`${model}: ${nodes.length} nodes read, ${announced} announced: the log is written otherwise`);
  return nodes;
}

const SCHEMA = `
syntax = "proto3";
message Attribute { string name = 1; int64 i = 3; Graph g = 6; }
message Node { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5; }
message Tensor { int32 data_type = 2; string name = 8; }
message TensorType { int32 elem_type = 1; }
message Type { TensorType tensor_type = 1; }
message Value { string name = 1; Type type = 2; }
message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated Value input = 11; repeated Value output = 12; }
message Model { Graph graph = 7; }
`;

interface Node {
  input: string[];
  output: string[];
  name: string;
  op_type: string;
  attribute: { name: string; i?: number; g?: Graph }[];
}

interface Value {
  name: string;
  type: { tensor_type: { elem_type: number } };
}

interface Graph {
  name: string;
  node: Node[];
  initializer: { data_type: number; name: string }[];
  input: Value[];
  output: Value[];
}

const Model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model');

const TYPES: Record<number, string> = { 1: 'float32', 7: 'int64', 9: 'bool' };
const COMPARISONS = ['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Equal', 'And', 'Or', 'Not'];

/** By the nodes' names. */
function typesOf(graph: Graph): Map<string, NodeTypes> {
  const values = new Map<string, string>();
  const nodes = new Map<string, NodeTypes>();
  const declare = (name: string, code: number) => values.set(name, TYPES[code]!);
  const walk = ({ node, initializer, input, output }: Graph): void => {
    for (const { name, data_type } of initializer) declare(name, data_type);
    for (const { name, type } of [...input, ...output]) declare(name, type.tensor_type.elem_type);
    for (const one of node) {
      const bodies = one.attribute.flatMap(({ g }) => (g ? [g] : []));
      bodies.forEach(walk);
      const inputs = one.input.filter(Boolean).map(name => values.get(name)!);
      const outputs = resultTypes(one, bodies, inputs);
      one.output.forEach((name, i) => {
        values.set(name, outputs[i]!);
      });
      nodes.set(one.name, { inputs, outputs });
    }
  };
  walk(graph);
  return nodes;
}

function resultTypes(node: Node, bodies: readonly Graph[], inputs: readonly string[]): string[] {
  const bodyTypes = (bodies[0]?.output ?? []).map(({ type }) => TYPES[type.tensor_type.elem_type]!);
  if (node.op_type === 'Loop') return bodyTypes.slice(1);
  if (node.op_type === 'If') return bodyTypes;
  if (COMPARISONS.includes(node.op_type)) return ['bool'];
  if (['Shape', 'ArgMax'].includes(node.op_type)) return ['int64'];
  if (node.op_type === 'ConstantOfShape') return ['float32'];
  if (node.op_type === 'Cast') return [TYPES[node.attribute.find(({ name }) => name === 'to')!.i!]!];
  const first = inputs[node.op_type === 'Where' ? 1 : 0]!;
  return node.op_type === 'TopK' ? [first, 'int64'] : node.output.map(() => first);
}
