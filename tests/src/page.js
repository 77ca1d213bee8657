// Finds the first visible element of a role whose accessible name matches; roles and names as the ARIA specifications compute
// them for what the product uses.
const [role, pattern] = arguments;
const wanted = new RegExp(pattern, 'i');
const IMPLICIT = [
  ['button', 'button'], ['a[href]', 'link'], ['nav', 'navigation'], ['main', 'main'], ['aside', 'complementary'],
  ['h1,h2,h3,h4', 'heading'], ['textarea,input:not([type]),input[type=text]', 'textbox'], ['input[type=search]', 'searchbox'],
  ['input[type=checkbox]', 'checkbox'], ['select', 'combobox'], ['tr', 'row'], ['table', 'table'], ['section[aria-label],section[aria-labelledby]', 'region'],
];
const roleOf = (e) => e.getAttribute('role') ?? IMPLICIT.find(([css]) => e.matches(css))?.[1] ?? '';
const textOf = (e) => (e.innerText ?? e.textContent ?? '').replace(/\s+/g, ' ').trim();
function nameOf(e) {
  const by = e.getAttribute('aria-labelledby');
  if (by) return by.split(/\s+/).map((id) => textOf(document.getElementById(id) ?? document.createElement('i'))).join(' ');
  const own = e.getAttribute('aria-label');
  if (own) return own;
  if (e.labels?.length) return [...e.labels].map((l) => (l.textContent ?? '').replace(/\s+/g, ' ').trim()).join(' ');
  return textOf(e) || (e.getAttribute('title') ?? e.getAttribute('placeholder') ?? '');
}
function seen(e) {
  const box = e.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(e).visibility !== 'hidden';
}
const found = [...document.querySelectorAll('*')].filter((e) => roleOf(e) === role && seen(e) && wanted.test(nameOf(e)));
return arguments[2] ? found.map(nameOf) : (found[0] ?? null);
