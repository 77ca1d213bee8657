import { afterEach, describe, expect, it, vi } from 'vitest';
import { httpBackend, readAnswer } from './http';
import { BackendError, toBackendError } from './types';

const answer = (status: number, body: string) => new Response(body, { status, statusText: 'Text' });
const failure = async (status: number, body: string): Promise<BackendError> => readAnswer(answer(status, body)).then(() => expect.fail('no error'), (thrown: BackendError) => thrown);

describe('answers over HTTP', () => {
  it('are read as JSON', async () => expect(await readAnswer(answer(200, '{"a":1}'))).toEqual({ a: 1 }));
  it('may be empty', async () => expect(await readAnswer(answer(200, ''))).toEqual({}));
  it('carry the code and sentence of the studio', async () => {
    const error = await failure(409, '{"code":"held","message":"Another Flowglass holds the workspace."}');
    expect(error).toBeInstanceOf(BackendError);
    expect([error.code, error.message]).toEqual(['held', 'Another Flowglass holds the workspace.']);
  });
  it.each([[404, 'not-found'], [400, 'bad-request'], [503, 'unavailable'], [500, 'internal'], [418, 'internal']])('give status %i without a body of ours the code %s', async (status, code) => {
    expect((await failure(status, '<html>proxy</html>')).code).toBe(code);
  });
  it('say how to sign in', async () => expect((await failure(401, '')).message).toContain('flowglass serve'));
  it('that are no JSON are an error even with status 200', async () => expect((await failure(200, '<html>')).code).toBe('internal'));
});

describe('the HTTP backend', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('posts the argument to the request', async () => {
    const fetch = vi.fn(async (_path: string, _init: RequestInit) => answer(200, '{}'));
    vi.stubGlobal('fetch', fetch);
    await httpBackend().call('import_cancel', { id: '7' });
    expect(fetch.mock.calls[0]![0]).toBe('/api/request/import_cancel');
    expect(fetch.mock.calls[0]![1]).toMatchObject({ method: 'POST', body: '{"id":"7"}' });
  });
  it('names a studio that is away', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(httpBackend().call('app', {})).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('toBackendError', () => {
  it('keeps what has the shape of ours and words everything else', () => {
    expect(toBackendError({ code: 'held', message: 'm' })).toMatchObject({ code: 'held', message: 'm' });
    expect(toBackendError('plain')).toMatchObject({ code: 'internal', message: 'plain' });
    expect(toBackendError(new Error('e')).message).toBe('e');
  });
});
