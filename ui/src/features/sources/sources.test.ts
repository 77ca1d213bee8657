import { describe, expect, it } from 'vitest';
import type { ImportView, ReceiverView } from '../../lib/bindings';
import { endpointOf } from './endpoint';
import { mergeImports } from './mergeImports';
import { moved, patternProblem } from './patterns';

const PATTERNS = [{ pattern: '-exp-api', layer: 'experience' }, { pattern: '-prc-api', layer: 'process' }];

describe('layer patterns', () => {
  it('move within bounds', () => {
    expect(moved(PATTERNS, 1, -1).map((known) => known.layer)).toEqual(['process', 'experience']);
    expect(moved(PATTERNS, 0, -1)).toBe(PATTERNS);
    expect(moved(PATTERNS, 1, 1)).toBe(PATTERNS);
  });

  it('need a word and are there once', () => {
    expect(patternProblem(PATTERNS, ' - ')).not.toBeNull();
    expect(patternProblem(PATTERNS, '-EXP-api')).toContain('already');
    expect(patternProblem(PATTERNS, 'bff')).toBeNull();
  });
});

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
