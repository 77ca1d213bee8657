//! Codes and keys as people read them.

/// What a gate or criterion is about: `G3` is "Must succeed first".
pub(super) fn criterion(code: &str) -> &'static str {
    match code {
        "G1" => "Answer needed at once",
        "G2" => "Read on demand",
        "G3" => "Must succeed first",
        "G4" => "Cannot do events",
        "G5" => "Down longer than callers wait",
        "G6" => "Takes longer than callers wait",
        "G7" => "Too large for a message",
        "W1" => "Independent consumers",
        "W2" => "Consumers nobody knows yet",
        "W3" => "What it is for",
        "W4" => "How late it may be",
        "W5" => "Systems may disagree for a while",
        "W6" => "Response time wanted",
        "W7" => "Availability wanted",
        "W8" => "A fault should stay where it is",
        "W9" => "Bursts",
        "W10" => "Parts that scale alone",
        "W11" => "Many calls at once",
        "W12" => "Polling",
        "W13" => "Mostly reads",
        "W14" => "Harm done by doing it twice",
        "W15" => "Order of messages",
        "W16" => "Consumers want different data",
        "W17" => "Volume",
        "W18" => "Replay or audit",
        "W19" => "Data not everybody may see",
        "W20" => "Skills and tools to run it",
        "W21" => "Kinds of coupling",
        "W22" => "Cost of a loss",
        _ => "Another criterion",
    }
}

/// How requests end, in words, and whether that is good, odd or bad.
pub(super) fn fate(state: &str) -> (String, &'static str) {
    let (words, tone) = match state {
        "completed" => ("Done", "good"),
        "degraded" => ("Done without something", "odd"),
        "compensated" => ("Undone", "odd"),
        "partial" => ("Done in part", "bad"),
        "refused" => ("Turned away", "bad"),
        "failed_clean" => ("Failed, nothing done", "bad"),
        "dead_lettered" => ("Given up (dead letter)", "bad"),
        "lost" => ("Lost", "bad"),
        "stuck" => ("Stuck", "bad"),
        "open" => ("Not done at the end", "odd"),
        other => return (other.replace('_', " "), "odd"),
    };
    (words.to_owned(), tone)
}

/// Keys of a scenario below which things have names.
const LISTS: [&str; 6] = ["participants", "operations", "channels", "steps", "variants", "workloads"];

/// A JSON Pointer into a scenario in words: `/participants/erp/workers` is "workers of erp".
pub(super) fn input_words(path: &str) -> String {
    let parts: Vec<String> =
        path.split('/').skip(1).map(|p| p.replace("~1", "/").replace("~0", "~").replace('_', " ")).collect();
    let raw: Vec<String> = path.split('/').skip(1).map(|p| p.replace("~1", "/").replace("~0", "~")).collect();
    match parts.as_slice() {
        [] => "the scenario".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => match (LISTS.contains(&first.as_str()), rest) {
            (true, [_]) => format!("{} ({})", raw[1], first.trim_end_matches('s')),
            (true, [_, rest @ ..]) => format!("{} of {}", rest.join(" "), raw[1]),
            _ => format!("{} of the {first}", rest.join(" ")),
        },
    }
}

/// A duration in milliseconds as people read it.
pub(super) fn time(ms: f64) -> String {
    let (value, unit) = match ms.abs() {
        n if n < 1.0 => (ms * 1e3, "µs"),
        n if n < 1e3 => (ms, "ms"),
        n if n < 120e3 => (ms / 1e3, "s"),
        n if n < 7200e3 => (ms / 60e3, "min"),
        _ => (ms / 3600e3, "h"),
    };
    let digits = usize::from(value.abs() < 100.0 && value.fract().abs() >= 0.05);
    format!("{value:.digits$} {unit}")
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    let near_an_end = (value > 99.0 && value < 100.0) || (value > 0.0 && value < 1.0);
    if near_an_end { format!("{value:.2} %") } else { format!("{value:.1} %") }
}

/// With a capital in front.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Names one after the other: `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_read_as_words() {
        for (path, words) in [
            ("/participants/erp/workers", "workers of erp"),
            ("/operations/erp.create/work", "work of erp.create"),
            ("/channels/orders.placed", "orders.placed (channel)"),
            ("/steps/pay/timeout", "timeout of pay"),
            ("/run/warm_up", "warm up of the run"),
        ] {
            assert_eq!(input_words(path), words);
        }
    }

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(
            [time(0.25), time(8.0), time(12.4), time(436.2), time(5_600.0), time(324_000.0)],
            ["250 µs", "8 ms", "12.4 ms", "436 ms", "5.6 s", "5.4 min"]
        );
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
