/** Forms in which journeys leave, in the order offered; `id` is the ending of the file. */
export const FORMS = [
  { id: 'flowglass', label: 'Case file…', hint: 'opens by drop' },
  { id: 'html', label: 'HTML report…', hint: 'any browser' },
  { id: 'md', label: 'Markdown ticket…', hint: '' },
  { id: 'json', label: 'OTLP JSON…', hint: 'imports again' },
  { id: 'mmd', label: 'Mermaid sequence…', hint: '' },
  { id: 'csv', label: 'Table (CSV)…', hint: '' },
] as const;

/** A deep link to a journey: opens it wherever Flowglass has it. */
export function deepLink(journey: string): string {
  return `flowglass://journey/${journey}`;
}
