// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
const read = (file: string) => readFileSync(join(SRC, file), 'utf8');
const code = files.filter((file) => /\.(svelte|ts|css)$/.test(file) && !file.endsWith('.test.ts') && !file.startsWith('lib/bindings/'));

/** Files in which a pattern stands, each with what stands there. */
function hits(among: string[], pattern: RegExp): string[] {
  return among.flatMap((file) => [...read(file).matchAll(pattern)].map((match) => `${file}: ${match[0]}`));
}

describe('the house', () => {
  it('has its files where they belong', () => expect(code.length).toBeGreaterThan(40));

  it('names colours in the tokens only', () => {
    const outside = code.filter((file) => file !== 'styles/tokens.css');
    expect(hits(outside, /#[0-9a-f]{6}(?:[0-9a-f]{2})?\b|(?<![\w&])#[0-9a-f]{3}\b(?=[\s;"',)])|\b(?:rgba?|hsla?|oklch|oklab)\(\s*\d/gi)).toEqual([]);
  });

  it('talks to the window and the network in lib/backend only', () => {
    const outside = code.filter((file) => !file.startsWith('lib/backend/'));
    expect(hits(outside, /@tauri-apps\/|\bfetch\(|\bnew (?:EventSource|WebSocket|XMLHttpRequest)\b|__TAURI/g)).toEqual([]);
  });

  it('imports downward: views, features, shared, lib', () => {
    const below = (folder: string) => code.filter((file) => file.startsWith(`${folder}/`));
    expect(hits(below('features'), /from '[^']*\/views\//g)).toEqual([]);
    expect(hits(below('shared'), /from '[^']*\/(?:views|features)\//g)).toEqual([]);
    expect(hits(below('lib'), /from '[^']*\/(?:views|features|shared)\//g)).toEqual([]);
  });

  it('has no style attributes and no raw HTML, which the content security policy or safety forbid', () => {
    expect(hits(code.filter((file) => file.endsWith('.svelte')), /\sstyle="|\{@html/g)).toEqual([]);
  });

  it('keeps components short enough to read', () => {
    expect(code.filter((file) => file.endsWith('.svelte') && read(file).split('\n').length > 250)).toEqual([]);
  });
});
