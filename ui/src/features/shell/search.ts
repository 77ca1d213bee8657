/** Something with a name. */
interface Named {
  id: string;
  name: string;
}

/** What matches the words typed, best first: names that begin so, then words in them that do, then anywhere. */
export function matches<T extends Named>(all: T[], typed: string, most: number): T[] {
  const text = typed.trim().toLowerCase();
  if (text === '') return [];
  return all
    .map((item) => ({ item, rank: rankOf(item.name.toLowerCase(), text) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank || (a.item.name < b.item.name ? -1 : 1))
    .slice(0, most)
    .map(({ item }) => item);
}

function rankOf(name: string, text: string): number {
  const at = name.indexOf(text);
  if (at < 0) return 3;
  if (at === 0) return 0;
  return /[^a-z0-9]/.test(name[at - 1] ?? '') ? 1 : 2;
}
