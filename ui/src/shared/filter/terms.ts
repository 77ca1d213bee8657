/** Expressions as text: adding and removing terms. The meaning of a term is the studio's affair. */

/** Where a term stands, and what it says. */
export interface TermText {
  /** As written. */
  text: string;
  from: number;
  to: number;
  negated: boolean;
  /** Before `:`, `<` or `>`; null for a word. */
  field: string | null;
  /** `:`, `>`, `>=`, `<`, `<=`; empty for a word. */
  operator: string;
  /** Behind the operator, as written. */
  value: string;
}

const FIELD = /^(@"(?:[^"\\]|\\.)*"|@[^\s:<>"]+|[A-Za-z][\w.-]*)(:|[<>]=?)/;

/** Takes an expression apart. An open quote reaches to the end. */
export function termsOf(expr: string): TermText[] {
  const terms: TermText[] = [];
  let at = 0;
  while (at < expr.length) {
    if (/\s/.test(expr.charAt(at))) {
      at += 1;
      continue;
    }
    const to = termEnd(expr, at);
    const text = expr.slice(at, to);
    const negated = text.length > 1 && text.startsWith('-');
    const rest = negated ? text.slice(1) : text;
    const field = FIELD.exec(rest);
    terms.push({ text, from: at, to, negated, field: field?.[1] ?? null, operator: field?.[2] ?? '', value: field ? rest.slice(field[0].length) : rest });
    at = to;
  }
  return terms;
}

/** A value as it must be written in an expression. `*` in it means itself. */
export function quote(value: string): string {
  const plain = value !== '' && !/[\s:,"*<>]/.test(value) && !/^[-@]/.test(value);
  return plain ? value : `"${value.replace(/[\\"*]/g, '\\$&')}"`;
}

/** The field of an attribute, resource attribute or header. */
export function attributeField(name: string): string {
  return /[\s:<>"*\\]/.test(name) ? `@${quote(name)}` : `@${name}`;
}

/** A value without the quotes it was written in. */
export function unquote(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\([\\"*])/g, '$1') : text;
}

/** An expression with one more term; it is not added twice, and the opposite term goes. `field` null is a word. */
export function withTerm(expr: string, field: string | null, value: string, negate = false): string {
  const term = field === null ? quote(value) : `${field}:${quote(value)}`;
  const kept = termsOf(expr).map((known) => known.text).filter((text) => text !== term && text !== `-${term}`);
  return [...kept, negate ? `-${term}` : term].join(' ');
}

/** An expression without its terms about a field (with `sign`, only the excluding or the other ones). */
export function withoutField(expr: string, field: string, negated?: boolean): string {
  const goes = (term: TermText) => term.field === field && (negated === undefined || term.negated === negated);
  return termsOf(expr).filter((term) => !goes(term)).map((term) => term.text).join(' ');
}

/** The values of the plain `field:a,b` terms of an expression. */
export function valuesOf(expr: string, field: string): string[] {
  const terms = termsOf(expr).filter((term) => term.field === field && term.operator === ':' && !term.negated);
  return terms.flatMap((term) => splitValues(term.value)).map(unquote);
}

/** An expression in which `field` has exactly these values; none removes it. */
export function withValues(expr: string, field: string, values: string[]): string {
  const rest = termsOf(expr).filter((term) => !(term.field === field && term.operator === ':' && !term.negated)).map((term) => term.text);
  return [...rest, ...(values.length > 0 ? [`${field}:${values.map(quote).join(',')}`] : [])].join(' ');
}

/** An expression with a comparison such as `duration>2s` in place of earlier ones of the same direction; null removes them. */
export function withComparison(expr: string, field: string, operator: '>' | '<' | '>=' | '<=', value: string | null): string {
  const sign = operator.charAt(0);
  const rest = termsOf(expr).filter((term) => !(term.field === field && term.operator.startsWith(sign))).map((term) => term.text);
  return [...rest, ...(value === null ? [] : [`${field}${operator}${value}`])].join(' ');
}

function splitValues(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g) ?? [];
}

function termEnd(expr: string, from: number): number {
  let open = false;
  for (let at = from; at < expr.length; at += 1) {
    const c = expr.charAt(at);
    if (open && c === '\\') at += 1;
    else if (c === '"') open = !open;
    else if (!open && /\s/.test(c)) return at;
  }
  return expr.length;
}
