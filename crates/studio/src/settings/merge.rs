//! Three versions of a list made one: what the window changed is done to what the file says now.

/// A row of a list with the text that tells it from the others.
pub(crate) trait Row: Clone + PartialEq {
    /// The text: a name, a pattern.
    fn key(&self) -> &str;
}

impl Row for String {
    fn key(&self) -> &str {
        self
    }
}

impl<V: Clone + PartialEq> Row for (String, V) {
    fn key(&self) -> &str {
        &self.0
    }
}

fn find<'a, R: Row>(rows: &'a [R], key: &str) -> Option<&'a R> {
    rows.iter().find(|r| r.key() == key)
}

/// `theirs` with the changes that lead from `base` to `mine`: rows removed, rows added or changed, and their order, if that is
/// what changed. Rows that only `theirs` has stay where they are.
pub(crate) fn merge<R: Row>(base: &[R], mine: &[R], theirs: &[R]) -> Vec<R> {
    let removed = |r: &&R| find(base, r.key()).is_some() && find(mine, r.key()).is_none();
    let mut out: Vec<R> = theirs.iter().filter(|r| !removed(r)).cloned().collect();
    for (i, row) in mine.iter().enumerate() {
        if find(base, row.key()) == Some(row) {
            continue;
        }
        if let Some(at) = out.iter().position(|r| r.key() == row.key()) {
            out[at] = row.clone();
            continue;
        }
        let before = mine[..i].iter().rev().find_map(|b| out.iter().position(|r| r.key() == b.key()));
        let at = before.map_or_else(|| if i == 0 { 0 } else { out.len() }, |b| b + 1);
        out.insert(at, row.clone());
    }
    let shared = |rows: &[R], other: &[R]| -> Vec<String> {
        rows.iter().map(|r| r.key().to_owned()).filter(|k| find(other, k).is_some()).collect()
    };
    if shared(mine, base) != shared(base, mine) {
        reorder(&mut out, mine);
    }
    out
}

/// Puts the rows that `order` knows into its order, in the places they hold together.
fn reorder<R: Row>(rows: &mut [R], order: &[R]) {
    let places: Vec<usize> = (0..rows.len()).filter(|i| find(order, rows[*i].key()).is_some()).collect();
    let sorted: Vec<R> = order.iter().filter_map(|o| find(rows, o.key()).cloned()).collect();
    for (place, row) in places.into_iter().zip(sorted) {
        rows[place] = row;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(String, char)> {
        text.split_whitespace().map(|w| (w[..1].to_owned(), w.chars().nth(1).unwrap_or('0'))).collect()
    }

    #[test]
    fn each_side_keeps_its_changes() {
        for (base, mine, theirs, want) in [
            ("a b c", "a b c d", "a b c", "a b c d"),
            ("a b c", "a c", "a b c x", "a c x"),
            ("a b", "a b1", "x a b", "x a b1"),
            ("a b", "a b1", "a b2 c", "a b1 c"),
            ("a b c", "c a b", "a b c x", "c a b x"),
            ("a b", "n a b", "x a b", "n x a b"),
            ("a b", "a n b", "a x b", "a n x b"),
            ("a b", "a b", "b", "b"),
            ("", "a", "x", "a x"),
            ("a", "a1", "", "a1"),
        ] {
            assert_eq!(merge(&rows(base), &rows(mine), &rows(theirs)), rows(want), "{base} | {mine} | {theirs}");
        }
    }
}
