//! Subject patterns: `*` is one token, `>` at the end is one or more.

/// Whether a pattern matches a subject.
pub fn matches(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for part in pattern.split('.') {
        match (part, tokens.next()) {
            (">", token) => return token.is_some(),
            ("*", Some(_)) => {}
            (literal, Some(token)) if literal == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// Whether everything `inner` matches is matched by `outer`.
pub fn covers(outer: &str, inner: &str) -> bool {
    let mut tokens = inner.split('.');
    for part in outer.split('.') {
        match (part, tokens.next()) {
            (">", token) => return token.is_some(),
            (_, Some(">")) => return false,
            ("*", Some(_)) => {}
            (literal, Some(token)) if literal == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// Whether there are subjects that both match.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    let (mut left, mut right) = (one.split('.'), other.split('.'));
    loop {
        match (left.next(), right.next()) {
            (Some(">"), b) => return b.is_some(),
            (a, Some(">")) => return a.is_some(),
            (Some("*"), Some(_)) | (Some(_), Some("*")) => {}
            (a, b) if a == b && a.is_some() => {}
            (a, b) => return a.is_none() && b.is_none(),
        }
    }
}

/// The patterns without those that another one covers.
pub(super) fn widest(patterns: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for pattern in patterns {
        if kept.iter().any(|k| covers(k, pattern)) {
            continue;
        }
        kept.retain(|k| !covers(pattern, k));
        kept.push(pattern.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, subject, want) in [
            (">", "a", true),
            (">", "$JS.ACK.x", true),
            ("a.>", "a", false),
            ("a.>", "a.b.c", true),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", false),
            ("a.*.c", "a.b.c", true),
            ("a.b", "a.c", false),
        ] {
            assert_eq!(matches(pattern, subject), want, "{pattern} {subject}");
        }
        assert!(covers("a.>", "a.*.c") && covers("a.*", "a.b") && covers(">", "a.>") && covers("a.>", "a.>"));
        assert!(!covers("a.*", "a.>") && !covers("a.b", "a.*") && !covers("a.>", "a"));
        for (one, other, want) in [
            ("a.>", "*.b", true),
            ("a.>", "a", false),
            ("a.*", "*.b.c", false),
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
            (">", "a", true),
            ("a.*.c", "a.b.>", true),
        ] {
            assert_eq!((overlaps(one, other), overlaps(other, one)), (want, want), "{one} {other}");
        }
        let list: Vec<String> = ["a.b", "c.>", "a.>", "a.*"].map(String::from).into();
        assert_eq!(widest(&list), ["c.>", "a.>"]);
    }
}
