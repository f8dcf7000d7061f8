/**
 * Spans by OTLP over HTTP, in JSON. OpenTelemetry calls every whole number an integer: a loss of exactly 0 would be of
 * another type than all others, and one of 2^63 or more would be beyond the protocol's integers, which makes its whole batch
 * unreadable. So what is measured is sent as a double, whatever its value.
 */
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** An attribute as the protocol has it: opentelemetry/proto/common/v1/common.proto, KeyValue. */
interface KeyValue {
  key: string;
  value: { intValue?: number };
}

export class SpanExporter extends OTLPExporterBase<ReadableSpan[]> {
  /** @param doubles names of the attributes that are sent as doubles */
  constructor(url: string, doubles: ReadonlySet<string>) {
    const options = convertLegacyHttpOptions({ url }, 'TRACES', 'v1/traces', { 'Content-Type': 'application/json' });
    const asDoubles = (_: string, node: unknown): unknown => {
      if (!isAttribute(node) || !doubles.has(node.key) || node.value.intValue === undefined) return node;
      return { ...node, value: { doubleValue: node.value.intValue } };
    };
    const serializeRequest = (spans: ReadableSpan[]): Uint8Array => {
      const request = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString(), asDoubles);
      return Buffer.from(JSON.stringify(request));
    };
    super(createOtlpHttpExportDelegate(options, { ...JsonTraceSerializer, serializeRequest }));
  }
}

const isAttribute = (node: unknown): node is KeyValue =>
  typeof node === 'object' && node !== null && 'key' in node && 'value' in node;
