import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Only `lib/backend` may talk to the outside world. */
const noOutsideWorld = {
  'no-restricted-imports': ['error', { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/lib/backend talks to the window.' }] }],
  'no-restricted-globals': ['error', ...['fetch', 'EventSource', 'XMLHttpRequest', 'WebSocket'].map((name) => ({ name, message: 'Only src/lib/backend talks to the studio.' }))],
};

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/lib/bindings'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts', '**/*.svelte.js'],
    languageOptions: { parserOptions: { projectService: false, extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'svelte/no-at-html-tags': 'error',
      // The content security policy refuses style attributes; `style:name={…}` goes through the style object.
      'no-restricted-syntax': ['error', { selector: 'SvelteAttribute[key.name="style"]', message: 'No style attributes: use style:name={…} or a class.' }],
      'svelte/require-each-key': 'error',
      // The address is a hash of our own, there is no router to resolve it.
      'svelte/no-navigation-without-resolve': 'off',
      // State is kept as immutable snapshots replaced as a whole.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['src/**'], ignores: ['src/lib/backend/**'], rules: noOutsideWorld },
  { files: ['src/shared/**', 'src/lib/**'], rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['**/views/**', '**/features/**'], message: 'Imports go downward: views, features, shared, lib.' }, { group: ['@tauri-apps/*'], message: 'Only src/lib/backend talks to the window.' }] }] } },
  { files: ['src/lib/backend/**'], rules: { 'no-restricted-imports': 'off' } },
);
