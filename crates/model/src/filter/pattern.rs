//! Values with `*` in them.

/// A value in which a wildcard stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The plain runs between wildcards; one alone means the whole value.
    parts: Vec<String>,
}

impl Pattern {
    /// From the runs between wildcards; none is the empty value.
    pub fn new(mut parts: Vec<String>) -> Pattern {
        if parts.is_empty() {
            parts.push(String::new());
        }
        // Wildcards side by side mean the same as one.
        let last = parts.len() - 1;
        let mut at = 0;
        parts.retain(|part| {
            let inner = at > 0 && at < last;
            at += 1;
            !(inner && part.is_empty())
        });
        Pattern { parts }
    }

    /// A value without wildcards.
    pub fn whole(value: impl Into<String>) -> Pattern {
        Pattern { parts: vec![value.into()] }
    }

    /// Reads a text in which every `*` is a wildcard.
    pub fn wild(text: &str) -> Pattern {
        Pattern::new(text.split('*').map(str::to_owned).collect())
    }

    /// The value when it has no wildcard.
    pub fn exact(&self) -> Option<&str> {
        if self.parts.len() == 1 { self.parts.first().map(String::as_str) } else { None }
    }

    /// The runs between wildcards.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Whether it stands for every text (`*`).
    pub fn is_any(&self) -> bool {
        self.parts.len() == 2 && self.parts.iter().all(String::is_empty)
    }

    /// The same in lower case.
    pub fn lower(&self) -> Pattern {
        Pattern { parts: self.parts.iter().map(|p| p.to_lowercase()).collect() }
    }

    /// Whether a text is this value; case counts.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else { return text.is_empty() };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }

    /// Whether a text is this value, case ignored.
    pub fn matches_folded(&self, text: &str) -> bool {
        match self.exact() {
            Some(value) if value.is_ascii() => value.eq_ignore_ascii_case(text),
            _ => self.lower().matches(&text.to_lowercase()),
        }
    }

    /// Whether the value stands somewhere in a text, case ignored.
    pub fn occurs_in(&self, text: &str) -> bool {
        if self.parts.iter().all(|part| part.is_ascii()) {
            let mut rest = text.as_bytes();
            return self.parts.iter().all(|part| {
                let Some(at) = position_folded(rest, part.as_bytes()) else { return false };
                rest = &rest[at + part.len()..];
                true
            });
        }
        let text = text.to_lowercase();
        let mut rest = text.as_str();
        self.parts.iter().all(|part| match rest.find(&part.to_lowercase()) {
            Some(at) => {
                rest = &rest[at + part.to_lowercase().len()..];
                true
            }
            None => false,
        })
    }
}

/// Where ASCII letters stand in a text first, case ignored.
fn position_folded(text: &[u8], letters: &[u8]) -> Option<usize> {
    let Some((first, rest)) = letters.split_first() else { return Some(0) };
    let mut places = text.windows(letters.len());
    places.position(|at| at[0].eq_ignore_ascii_case(first) && at[1..].eq_ignore_ascii_case(rest))
}
