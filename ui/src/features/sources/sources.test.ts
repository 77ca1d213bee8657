import { describe, expect, it } from 'vitest';
import type { ImportView, ReceiverView } from '../../lib/bindings';
import { endpointOf } from './endpoint';
import { mergeImports } from './mergeImports';

describe('endpointOf', () => {
  const receiver = (id: string, state: string, address: string | null) => ({ id, state, address }) as ReceiverView;
  it('prefers HTTP, takes only what listens', () => {
    expect(endpointOf([receiver('otlp-grpc', 'listening', '127.0.0.1:4317'), receiver('otlp-http', 'listening', '127.0.0.1:4318')])).toBe('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318');
    expect(endpointOf([receiver('otlp-grpc', 'listening', '127.0.0.1:4317'), receiver('otlp-http', 'failed', null)])).toBe('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317');
    expect(endpointOf([receiver('otlp-http', 'off', null)])).toBeNull();
  });
});

describe('mergeImports', () => {
  it('lists each once, newest first, as pushed last', () => {
    const view = (id: number, state: string) => ({ id, state }) as ImportView;
    expect(mergeImports([view(1, 'running'), view(2, 'done')], [view(1, 'done'), view(3, 'running')]).map((one) => `${one.id} ${one.state}`)).toEqual(['3 running', '2 done', '1 done']);
  });
});
