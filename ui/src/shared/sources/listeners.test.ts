import { describe, expect, it } from 'vitest';
import type { ReceiverView, SelfTestStep, SilentConnection } from '../../lib/bindings';
import { everywhere, loopback, stepHealth, timesInWords, usualAddress } from './listeners';

describe('addresses of listeners', () => {
  it('keep their port', () => {
    expect(everywhere('127.0.0.1:4317')).toBe('0.0.0.0:4317');
    expect(loopback('[::]:14318')).toBe('127.0.0.1:14318');
  });

  it('fall back to the offered one, then to the usual one', () => {
    const receiver = (id: string, address: string | null, offer: string | null) => ({ id, address, offer }) as ReceiverView;
    expect(usualAddress(receiver('otlp-grpc', null, '127.0.0.1:14317'))).toBe('127.0.0.1:14317');
    expect(usualAddress(receiver('otlp-http', null, null))).toBe('127.0.0.1:4318');
    expect(usualAddress(receiver('otlp-http', '127.0.0.1:9', '127.0.0.1:14318'))).toBe('127.0.0.1:9');
  });
});

describe('self test and silent connections', () => {
  it('have a mark for each outcome', () => {
    const of = (outcome: string) => stepHealth({ outcome } as SelfTestStep);
    expect(['ok', 'warning', 'failed', 'skipped'].map(of)).toEqual(['healthy', 'degraded', 'failing', 'quiet']);
  });

  it('say how often, but not once', () => {
    expect(timesInWords({ times: 1 } as SilentConnection)).toBe('');
    expect(timesInWords({ times: 1200 } as SilentConnection)).toBe('1,200 times');
  });
});
