// The same story as send.py, with the official Node SDK over OTLP/HTTP JSON:  node send.mjs ENDPOINT CALLS
// The SDK writes the body in one go with a length; `chunked` sends what it serialised in pieces without one, as streaming clients do.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [endpoint, calls, modules, mode] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { SpanKind, SpanStatusCode, context, trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

let failed = null;
if (mode === 'chunked') {
  const request = http.request;
  http.request = function chunked(...all) {
    const made = request.apply(this, all);
    const end = made.end.bind(made);
    made.end = (body) => {
      made.removeHeader('content-length');
      made.setHeader('transfer-encoding', 'chunked');
      const bytes = Buffer.from(body ?? '');
      for (let at = 0; at < bytes.length; at += 997) made.write(bytes.subarray(at, at + 997));
      return end();
    };
    return made;
  };
}
const provider = (name) => {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) => send(spans, (result) => { if (result.code !== 0) failed = result.error ?? result; done(result); });
  return new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.namespace': 'sdk', 'deployment.environment.name': 'test' }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
};
const shop = provider('shop-exp-api');
const orders = provider('order-prc-api');
const from = shop.getTracer('test');
const to = orders.getTracer('test');

for (let number = 0; number < Number(calls); number += 1) {
  const route = { 'http.request.method': 'POST', 'http.route': '/orders' };
  const under = (span) => trace.setSpan(context.active(), span);
  const entry = from.startSpan('POST /orders', { kind: SpanKind.SERVER, attributes: route });
  const out = from.startSpan('POST', { kind: SpanKind.CLIENT, attributes: { 'http.request.method': 'POST', 'server.address': 'order-prc-api', 'url.full': 'http://order-prc-api/orders' } }, under(entry));
  const server = to.startSpan('POST /orders', { kind: SpanKind.SERVER, attributes: route }, under(out));
  to.startSpan('INSERT orders', { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'orders', 'server.address': 'db.test' } }, under(server)).end();
  if (number === 0) {
    server.setAttribute('http.response.status_code', 500);
    server.setStatus({ code: SpanStatusCode.ERROR, message: 'no stock' });
    out.setStatus({ code: SpanStatusCode.ERROR });
  }
  for (const span of [server, out, entry]) span.end();
}
await Promise.all([shop.shutdown(), orders.shutdown()]);
if (failed) {
  console.error('not exported:', failed);
  process.exit(1);
}
