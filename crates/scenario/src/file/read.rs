//! Reading nodes as what they should be; what is wrong is collected, not thrown.

use std::collections::BTreeSet;

use super::tree::{At, Node, Value};
use super::{Problem, units};
use crate::Dist;
use crate::model::Time;

/// A file that is wrong everywhere is not worth more than this.
const MOST_PROBLEMS: usize = 100;

/// Collects what is wrong, what is odd, and what is assumed.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<String>,
    pub(crate) assumed: BTreeSet<String>,
}

impl Reader {
    pub(crate) fn wrong(&mut self, at: At, message: impl Into<String>) {
        if !self.is_full() {
            self.problems.push(Problem::new(at, message.into()));
        }
    }

    /// Whether so much is wrong that nothing more is looked at.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// Keeps a good value, collects a bad one.
    fn kept<T>(&mut self, at: At, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.wrong(at, message)).ok()
    }

    /// Checks that a node is a map with known keys.
    pub(crate) fn map<'a>(&mut self, node: &'a Node, what: &str, keys: &[&str]) -> Option<&'a Node> {
        if matches!(node.value, Value::Null) {
            return Some(node);
        }
        if !matches!(node.value, Value::Map(_)) {
            self.wrong(node.at, format!("{what} must be a map, this is {}", node.kind()));
            return None;
        }
        for field in node.fields() {
            if self.is_full() {
                return None;
            }
            if !keys.contains(&field.key.as_str()) {
                let hint = suggestion(&field.key, keys.iter().copied());
                self.wrong(field.at, format!("{what} has no `{}`{hint}", field.key));
            }
        }
        Some(node)
    }

    pub(crate) fn duration(&mut self, node: &Node) -> Option<Time> {
        let text = self.text(node, "a duration such as `8ms`")?;
        let value = units::duration(&text).map(|ns| (ns + 0.5) as Time);
        self.kept(node.at, value)
    }

    pub(crate) fn rate(&mut self, node: &Node) -> Option<f64> {
        let text = self.text(node, "a rate such as `132/s`")?;
        self.kept(node.at, units::rate(&text))
    }

    pub(crate) fn share(&mut self, node: &Node) -> Option<f64> {
        let text = self.text(node, "a share such as `0.2%`")?;
        self.kept(node.at, units::share(&text))
    }

    pub(crate) fn size(&mut self, node: &Node) -> Option<u64> {
        let text = self.text(node, "a size such as `4kB`")?;
        self.kept(node.at, units::size(&text))
    }

    /// A whole number in a range.
    pub(crate) fn whole(&mut self, node: &Node, least: u64, most: u64) -> Option<u64> {
        match node.value {
            Value::Number(_, n) if n >= least as f64 && n <= most as f64 && n.fract() == 0.0 => Some(n as u64),
            _ => {
                let found = node.scalar().map_or_else(|| node.kind().to_owned(), |t| format!("`{t}`"));
                self.wrong(node.at, format!("{found} is no whole number from {least} to {most}"));
                None
            }
        }
    }

    /// A number above some value.
    pub(crate) fn number(&mut self, node: &Node, least: f64) -> Option<f64> {
        match node.value {
            Value::Number(_, n) if n.is_finite() && n >= least => Some(n),
            _ => {
                let found = node.scalar().map_or_else(|| node.kind().to_owned(), |t| format!("`{t}`"));
                self.wrong(node.at, format!("{found} is no number of {least} or more"));
                None
            }
        }
    }

    pub(crate) fn bool(&mut self, node: &Node) -> Option<bool> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.wrong(node.at, format!("this must be true or false, it is {}", node.kind()));
                None
            }
        }
    }

    /// A text; a number is one, too.
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match node.scalar() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(node.at, format!("this must be {what}, it is {}", node.kind()));
                None
            }
        }
    }

    /// One of some words.
    pub(crate) fn one_of<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, "a word")?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        // What there is stands there already.
        let hint =
            Some(suggestion(&text, all.iter().copied())).filter(|h| h.contains("did you mean")).unwrap_or_default();
        self.wrong(node.at, format!("`{text}` is none of {}{hint}", all.join(", ")));
        None
    }

    /// A list of durations, or one.
    pub(crate) fn durations(&mut self, node: &Node) -> Option<Vec<Time>> {
        match &node.value {
            Value::List(items) => items.iter().map(|i| self.duration(i)).collect(),
            _ => self.duration(node).map(|d| vec![d]),
        }
    }

    /// A distribution of durations.
    pub(crate) fn dist(&mut self, node: &Node) -> Option<Dist> {
        const KINDS: [&str; 8] = ["exp", "erlang", "gamma", "lognormal", "hyperexp", "uniform", "quantiles", "shifted"];
        if !matches!(node.value, Value::Map(_)) {
            return self.duration(node).map(|d| Dist::Constant(d as f64));
        }
        self.map(node, "a distribution", &KINDS)?;
        let [field] = node.fields() else {
            self.wrong(node.at, format!("a distribution has one kind: {}", KINDS.join(", ")));
            return None;
        };
        let inside = &field.node;
        match field.key.as_str() {
            "exp" => self.duration(inside).map(|m| if m == 0 { Dist::Constant(0.0) } else { Dist::Exp(m as f64) }),
            "erlang" => {
                self.map(inside, "erlang", &["k", "mean"])?;
                let k = self.wanted(inside, "k")?;
                let k = self.whole(k, 1, 1_000_000)?;
                Some(Dist::Gamma { mean: self.mean(inside)?, scv: 1.0 / k as f64 })
            }
            "gamma" => self.mean_scv(inside, "gamma", 1e-9).map(|(mean, scv)| Dist::Gamma { mean, scv }),
            "lognormal" => self.mean_scv(inside, "lognormal", 1e-9).map(|(mean, scv)| Dist::Lognormal { mean, scv }),
            "hyperexp" => {
                let (mean, scv) = self.mean_scv(inside, "hyperexp", 1.0)?;
                Some(if scv == 1.0 { Dist::Exp(mean) } else { Dist::Hyperexp { mean, scv } })
            }
            "uniform" => {
                self.map(inside, "uniform", &["min", "max"])?;
                let (min, max) = (self.wanted(inside, "min")?, self.wanted(inside, "max")?);
                let (min, max, at) = (self.duration(min)? as f64, self.duration(max)? as f64, max.at);
                if max < min {
                    self.wrong(at, "max is below min");
                    return None;
                }
                Some(Dist::Uniform { min, max })
            }
            "quantiles" => self.quantiles(inside),
            "shifted" => {
                self.map(inside, "shifted", &["by", "then"])?;
                let (by, then) = (self.wanted(inside, "by")?, self.wanted(inside, "then")?);
                let by = self.duration(by)? as f64;
                Some(Dist::Shifted { by, then: Box::new(self.dist(then)?) })
            }
            _ => None,
        }
    }

    fn mean(&mut self, node: &Node) -> Option<f64> {
        let mean = self.wanted(node, "mean")?;
        match self.duration(mean)? {
            0 => {
                self.wrong(mean.at, "the mean must be above zero");
                None
            }
            mean => Some(mean as f64),
        }
    }

    fn mean_scv(&mut self, node: &Node, what: &str, least: f64) -> Option<(f64, f64)> {
        self.map(node, what, &["mean", "scv"])?;
        let mean = self.mean(node)?;
        let scv = self.wanted(node, "scv")?;
        let value = self.number(scv, least)?;
        if value > 1e4 {
            self.wrong(scv.at, "scv (variance over squared mean) is above 10,000");
            return None;
        }
        Some((mean, value))
    }

    fn quantiles(&mut self, node: &Node) -> Option<Dist> {
        let mut points = Vec::new();
        for item in node.items() {
            let [share, value] = item.items() else {
                self.wrong(item.at, "a quantile is a pair such as [0.5, 8ms]");
                return None;
            };
            points.push((self.share(share)?, self.duration(value)? as f64));
        }
        if points.is_empty() || points.windows(2).any(|w| w[0].0 >= w[1].0 || w[0].1 > w[1].1) {
            self.wrong(node.at, "quantiles are pairs such as [[0.5, 8ms], [0.95, 30ms]], growing");
            return None;
        }
        Some(Dist::Quantiles(points))
    }

    /// A key that must be there.
    pub(crate) fn wanted<'a>(&mut self, node: &'a Node, key: &str) -> Option<&'a Node> {
        let found = node.get(key);
        if found.is_none() {
            self.wrong(node.at, format!("`{key}` is missing"));
        }
        found
    }

    /// Reads a key if it is there.
    pub(crate) fn maybe<T>(
        &mut self,
        node: &Node,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node) -> Option<T>,
    ) -> Option<T> {
        node.get(key).and_then(|n| read(self, n))
    }
}

/// Words looked at for the nearest one.
const MOST_KNOWN: usize = 10_000;

/// `; did you mean …?` with the nearest of some words, or what there is.
pub(crate) fn suggestion<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<(usize, &str)> = known.take(MOST_KNOWN).map(|word| (distance(text, word), word)).collect();
    all.sort_unstable();
    match all.first() {
        Some((steps, word)) if *steps <= 2.max(text.chars().count() / 3) => format!("; did you mean `{word}`?"),
        Some(_) if all.len() <= 12 => {
            let mut words: Vec<&str> = all.into_iter().map(|(_, word)| word).collect();
            words.sort_unstable();
            format!("; there are: {}", words.join(", "))
        }
        _ => String::new(),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) between two texts.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        assert_eq!(suggestion("retyr", ["retry", "timeout"].into_iter()), "; did you mean `retry`?");
        assert_eq!(suggestion("xyzzy", ["a", "b"].into_iter()), "; there are: a, b");
        assert_eq!(distance("worker", "workers"), 1);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
