import type { NatsConnectRequest } from '../../lib/bindings';

/** What is typed into the form. */
export interface NatsDraft {
  url: string;
  subjects: string;
  streams: string;
  auth: string;
  user: string;
  secret: string;
  credsFile: string;
  tls: boolean;
  caFile: string;
  history: string;
  headersOnly: boolean;
}

/** Ways to sign in. */
export const AUTH = [
  { id: 'none', label: 'none' },
  { id: 'password', label: 'User and password' },
  { id: 'token', label: 'Token' },
  { id: 'creds', label: 'Credentials file' },
  { id: 'nkey', label: 'NKey seed' },
] as const;

/** How far back to read streams. */
export const HISTORY = [
  { id: 'all', label: 'Everything kept' },
  { id: '60', label: 'Last hour' },
  { id: '1440', label: 'Last day' },
  { id: 'none', label: 'Only what comes' },
] as const;

/** An empty form. */
export function emptyDraft(): NatsDraft {
  return { url: 'nats://127.0.0.1:4222', subjects: '', streams: '', auth: 'none', user: '', secret: '', credsFile: '', tls: false, caFile: '', history: 'all', headersOnly: false };
}

/** The request a form stands for. Only what the chosen way to sign in needs is sent. */
export function requestOf(draft: NatsDraft): NatsConnectRequest {
  const needs = (...ways: string[]) => ways.includes(draft.auth);
  return {
    url: draft.url.trim(),
    subjects: words(draft.subjects),
    streams: words(draft.streams),
    auth: draft.auth,
    user: needs('password') ? draft.user : null,
    secret: needs('password', 'token', 'nkey') ? draft.secret : null,
    credsFile: needs('creds') ? draft.credsFile.trim() : null,
    tls: draft.tls,
    caFile: draft.caFile.trim() || null,
    history: draft.history,
    headersOnly: draft.headersOnly,
  };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
