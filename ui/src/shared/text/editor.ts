import { defaultKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** Something wrong in a text. */
export interface TextProblem {
  /** Line, from 1. */
  line: number;
  /** Column, from 1; without it, the first word of the line. */
  column?: number;
  message: string;
}

/** An editor in the page. */
export interface Editor {
  /** Shows another text; where it differs only in part, the cursor stays. */
  setText(text: string): void;
  setProblems(problems: readonly TextProblem[]): void;
  /** Puts the cursor on a line, and the focus too, unless that stays where somebody works. */
  showLine(line: number, focus: boolean): void;
  close(): void;
}

/** What the editor tells. Undo and redo belong to the text's owner, so that forms and text share one past. */
export interface EditorActions {
  change(text: string): void;
  undo(): void;
  redo(): void;
  run?(): void;
}

const LOOK = EditorView.theme({
  '&': { height: '100%', color: 'var(--tx-1)', backgroundColor: 'var(--bg-inset)', fontSize: '12px' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.55', scrollbarWidth: 'thin', scrollbarColor: 'var(--line-2) transparent' },
  '.cm-content': { caretColor: 'var(--tx-1)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--tx-1)' },
  '.cm-gutters': { backgroundColor: 'var(--bg-inset)', color: 'var(--tx-3)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklab, var(--bg-3) 45%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in oklab, var(--accent) 30%, transparent)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--bg-3)', outline: '1px solid var(--line-3)' },
  '.cm-tooltip': { backgroundColor: 'var(--bg-2)', color: 'var(--tx-1)', border: '1px solid var(--line-2)', borderRadius: '4px', fontFamily: 'var(--font-ui)', maxWidth: '420px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--err)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--err)' },
  '.cm-lint-marker-error': { content: '"▲"', color: 'var(--err)', fontSize: '10px', width: '12px' },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: 'var(--info)' },
  { tag: tags.propertyName, color: 'var(--info)' },
  { tag: tags.comment, color: 'var(--tx-3)', fontStyle: 'italic' },
  { tag: [tags.string, tags.content], color: 'var(--tx-1)' },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: 'var(--tx-3)' },
]);

/**
 * Opens an editor. It stands in a shadow tree: there its rules become adopted style sheets, which the strict content security policy
 * lets be (a `<style>` element in the page it would not).
 */
export function openEditor(host: HTMLElement, label: string, text: string, actions: EditorActions): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const frame = document.createElement('div');
  frame.style.height = '100%';
  root.replaceChildren(frame);
  // Keys of the window must not act while somebody writes; those with Ctrl go on.
  const keep = (event: KeyboardEvent) => {
    if (!event.ctrlKey && !event.metaKey && event.key !== 'F6' && event.key !== 'Escape') event.stopPropagation();
  };
  host.addEventListener('keydown', keep);
  const done = (run: () => void) => () => {
    run();
    return true;
  };
  const own = keymap.of([
    ...(actions.run ? [{ key: 'Mod-Enter', run: done(actions.run), stopPropagation: true }] : []),
    { key: 'Mod-z', run: done(actions.undo), stopPropagation: true },
    { key: 'Mod-y', run: done(actions.redo), stopPropagation: true },
    { key: 'Mod-Shift-z', run: done(actions.redo), stopPropagation: true },
    // Tab goes on to the next control: nobody is held in here.
    { key: 'Escape', run: (view) => (view.contentDOM.blur(), host.focus(), false) },
  ]);
  let quiet = false;
  const view = new EditorView({
    parent: frame,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(own), lineNumbers(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), indentOnInput(), bracketMatching(), yaml(),
        syntaxHighlighting(COLOURS), LOOK, EditorState.tabSize.of(2), keymap.of(defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter')),
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) actions.change(update.state.doc.toString());
        }),
      ],
    }),
  });
  const place = ({ line, column }: TextProblem): { from: number; to: number } => {
    const found = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
    const from = Math.min(found.to, found.from + Math.max(0, column === undefined ? found.text.search(/\S|$/) : column - 1));
    const word = /^[^\s,}\]]+/.exec(found.text.slice(from - found.from))?.[0].length ?? 0;
    return { from, to: Math.min(found.to, from + Math.max(1, word)) };
  };
  return {
    setText(next) {
      const before = view.state.doc.toString();
      if (next === before) return;
      let start = 0;
      while (start < before.length && before[start] === next[start]) start += 1;
      let end = 0;
      while (end < Math.min(before.length, next.length) - start && before[before.length - 1 - end] === next[next.length - 1 - end]) end += 1;
      quiet = true;
      view.dispatch({ changes: { from: start, to: before.length - end, insert: next.slice(start, next.length - end) } });
      quiet = false;
    },
    setProblems(problems) {
      const found = problems.map((problem): Diagnostic => ({ ...place(problem), severity: 'error', message: problem.message }));
      view.dispatch(setDiagnostics(view.state, found.sort((a, b) => a.from - b.from)));
    },
    showLine(line, focus) {
      const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines))).from;
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      if (focus) view.focus();
    },
    close() {
      host.removeEventListener('keydown', keep);
      view.destroy();
    },
  };
}
