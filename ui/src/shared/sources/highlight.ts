/** A piece of a line of a set-up. */
export interface Token {
  kind: 'plain' | 'name' | 'value' | 'comment';
  text: string;
}

/** Tells names, values and comments of shell, YAML and command lines apart; just enough for short set-ups. */
export function tokens(line: string): Token[] {
  if (/^\s*(?:#|\/\/)/.test(line)) return [{ kind: 'comment', text: line }];
  const assignment = /^(\s*(?:export |set |-\s+|-D|-e |\$env:)?)([A-Za-z_][\w.-]*)(\s*[=:]\s*)(.+)$/.exec(line);
  if (!assignment) return [{ kind: 'plain', text: line || ' ' }];
  const [, before = '', name = '', sign = '', value = ''] = assignment;
  return [
    { kind: 'plain', text: before },
    { kind: 'name', text: name },
    { kind: 'plain', text: sign },
    { kind: 'value', text: value },
  ];
}
