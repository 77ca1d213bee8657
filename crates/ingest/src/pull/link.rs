//! What a link asks for.

use flowglass_model::Nanos;
use url::Url;

use super::{TRACES, TRACES_MAX};

/// What people ask for: a link, or an address with a trace id or a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Link of a trace or a search, or the address of a server.
    pub url: String,
    /// A trace id, when the link names none.
    pub trace: Option<String>,
    /// A service (Jaeger) to search for, when the link is no search.
    pub service: Option<String>,
    /// TraceQL (Tempo) to search with, when the link is no search.
    pub query: Option<String>,
    /// Started at or after.
    pub since: Option<Nanos>,
    /// Started before.
    pub until: Option<Nanos>,
    /// Traces at most; 0 means 100.
    pub limit: usize,
}

/// A question to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// One trace, of either server.
    Trace(Url),
    /// A search that answers with whole traces (Jaeger, `GET /api/traces`).
    JaegerSearch(Url),
    /// A search that answers with ids (Tempo, `GET /api/search`); the traces are asked for below the address.
    TempoSearch {
        /// The search.
        search: Url,
        /// Where traces are: an id belongs behind it.
        traces: Url,
    },
}

/// Why a link cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is no address.
    #[error(
        "`{0}` is no web address; paste a link of Jaeger, Tempo or Grafana such as http://localhost:16686/trace/4bf9…"
    )]
    Address(String),
    /// It carries credentials.
    #[error("the address for {0} holds credentials; take them out and give them as user and password, or as a token")]
    Credentials(String),
    /// It names neither a trace nor a search.
    #[error(
        "{0} names no trace and no search; give the link of one, or a trace id, a service (Jaeger) or TraceQL (Tempo)"
    )]
    Nothing(String),
    /// The trace id cannot be one.
    #[error("`{0}` is no trace id: it has 16 to 32 hexadecimal digits")]
    TraceId(String),
}

impl Wanted {
    /// What to ask. `now` is where ranges such as "the last hour" end.
    pub fn ask(&self, now: Nanos) -> Result<Ask, LinkError> {
        let text = self.url.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|_| LinkError::Address(self.url.clone()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(LinkError::Address(self.url.clone()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkError::Credentials(url.host_str().unwrap_or_default().to_owned()));
        }
        let path: Vec<&str> = url.path().split('/').filter(|s| !s.is_empty()).collect();
        match path.as_slice() {
            [prefix @ .., "trace", id] => self.trace(&url, prefix, id),
            [prefix @ .., "api", "traces", id] | [prefix @ .., "api", "v2" | "v3", "traces", id] => {
                self.trace(&url, prefix, id)
            }
            [prefix @ .., "api", "traces"] | [prefix @ .., "search"] if prefix.last() != Some(&"api") => {
                Ok(Ask::JaegerSearch(self.searched(&url, prefix, &["api", "traces"], pairs(&url), 1_000, now)))
            }
            [prefix @ .., "api", "search"] => Ok(self.tempo(&url, prefix, pairs(&url), now)),
            [prefix @ .., "explore"] => self.grafana(&url, prefix, now),
            prefix => self.named(&url, prefix, now),
        }
    }

    fn trace(&self, url: &Url, prefix: &[&str], id: &str) -> Result<Ask, LinkError> {
        let digits = (16..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits {
            return Err(LinkError::TraceId(id.to_owned()));
        }
        Ok(Ask::Trace(below(url, prefix, &["api", "traces", &id.to_ascii_lowercase()])))
    }

    /// What stands beside a bare address.
    fn named(&self, url: &Url, prefix: &[&str], now: Nanos) -> Result<Ask, LinkError> {
        if let Some(id) = self.trace.as_deref().map(str::trim).filter(|t| !t.is_empty()) {
            return self.trace(url, prefix, id);
        }
        if let Some(query) = self.query.clone().filter(|q| !q.trim().is_empty()) {
            return Ok(self.tempo(url, prefix, vec![("q".into(), query)], now));
        }
        if let Some(service) = self.service.clone().filter(|s| !s.trim().is_empty()) {
            let pairs = vec![("service".into(), service)];
            return Ok(Ask::JaegerSearch(self.searched(url, prefix, &["api", "traces"], pairs, 1_000, now)));
        }
        Err(LinkError::Nothing(url.to_string()))
    }

    fn tempo(&self, url: &Url, prefix: &[&str], pairs: Vec<(String, String)>, now: Nanos) -> Ask {
        Ask::TempoSearch {
            search: self.searched(url, prefix, &["api", "search"], pairs, 1_000_000_000, now),
            traces: below(url, prefix, &["api", "traces"]),
        }
    }

    /// A search with its limit and range; `unit` is what its times count, in nanoseconds.
    fn searched(
        &self,
        url: &Url,
        prefix: &[&str],
        path: &[&str],
        mut pairs: Vec<(String, String)>,
        unit: i64,
        now: Nanos,
    ) -> Url {
        let given = pairs.iter().find(|(k, _)| k == "limit").and_then(|(_, v)| v.parse().ok());
        let limit = match (self.limit, given) {
            (0, Some(given)) => given,
            (0, None) => TRACES,
            (wanted, _) => wanted,
        };
        pairs.retain(|(k, _)| k != "limit");
        pairs.push(("limit".into(), limit.clamp(1, TRACES_MAX).to_string()));
        let mut set = |name: &str, at: Option<Nanos>| {
            let Some(at) = at else { return };
            pairs.retain(|(k, _)| k != name && k != "lookback");
            pairs.push((name.into(), (at / unit).to_string()));
        };
        set("start", self.since);
        set("end", self.until.or(self.since.map(|_| now)));
        let mut out = below(url, prefix, path);
        out.query_pairs_mut().extend_pairs(pairs);
        out
    }

    /// Grafana's Explore: the data source is asked through Grafana.
    fn grafana(&self, url: &Url, prefix: &[&str], now: Nanos) -> Result<Ask, LinkError> {
        let nothing = || LinkError::Nothing(format!("{}://{}/…/explore", url.scheme(), url.authority()));
        let value = |name: &str| url.query_pairs().find(|(k, _)| k == name).map(|(_, v)| v.into_owned());
        let json: serde_json::Value = value("panes")
            .or_else(|| value("left"))
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or_else(nothing)?;
        let pane = match json.as_object() {
            Some(panes) if !panes.contains_key("queries") => panes.values().next().cloned().ok_or_else(nothing)?,
            _ => json,
        };
        let query = &pane["queries"][0];
        let text = |v: &serde_json::Value| v.as_str().map(str::to_owned).filter(|t| !t.is_empty());
        let source = text(&query["datasource"]["uid"]).or_else(|| text(&pane["datasource"])).ok_or_else(nothing)?;
        let asked = text(&query["query"]).ok_or_else(nothing)?;
        let below_grafana = [prefix, &["api", "datasources", "proxy", "uid", source.as_str()]].concat();
        if asked.len() >= 16 && asked.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.trace(url, &below_grafana, &asked);
        }
        let range = Wanted {
            since: self.since.or_else(|| grafana_time(&pane["range"]["from"], now)),
            until: self.until.or_else(|| grafana_time(&pane["range"]["to"], now)),
            ..self.clone()
        };
        Ok(range.tempo(url, &below_grafana, vec![("q".into(), asked)], now))
    }
}

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
}

/// An address on the same server.
fn below(url: &Url, prefix: &[&str], path: &[&str]) -> Url {
    let mut out = url.clone();
    out.set_query(None);
    out.set_fragment(None);
    out.set_path(&[prefix, path].concat().join("/"));
    out
}

/// `now`, `now-6h`, or milliseconds since 1970.
fn grafana_time(value: &serde_json::Value, now: Nanos) -> Option<Nanos> {
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()))?;
    if let Ok(ms) = text.parse::<i64>() {
        return ms.checked_mul(1_000_000);
    }
    let Some(age) = text.strip_prefix("now-") else { return (text == "now").then_some(now) };
    let (number, unit) = age.split_at(age.find(|c: char| c.is_ascii_alphabetic())?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds * 1_000_000_000).map(|age| now - age)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Nanos = 1_700_000_000_000_000_000;

    fn ask(url: &str) -> Result<String, LinkError> {
        let wanted = Wanted { url: url.into(), ..Wanted::default() };
        wanted.ask(NOW).map(|ask| match ask {
            Ask::Trace(url) => format!("trace {url}"),
            Ask::JaegerSearch(url) => format!("jaeger {url}"),
            Ask::TempoSearch { search, traces } => format!("tempo {search} {traces}"),
        })
    }

    #[test]
    fn links_of_all_sorts() {
        const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = |base: &str| Ok(format!("trace {base}/api/traces/{ID}"));
        for (link, want) in [
            (format!("http://localhost:16686/trace/{ID}?uiFind=x#top"), trace("http://localhost:16686")),
            (format!("localhost:16686/jaeger/trace/{}", ID.to_uppercase()), trace("http://localhost:16686/jaeger")),
            (format!("https://tempo.example/api/v2/traces/{ID}"), trace("https://tempo.example")),
            (
                "http://h/search?service=web&lookback=1h&limit=20".into(),
                Ok("jaeger http://h/api/traces?service=web&lookback=1h&limit=20".into()),
            ),
            (
                "http://h/t/api/search?q=%7Bstatus%3Derror%7D&limit=5000".into(),
                Ok("tempo http://h/t/api/search?q=%7Bstatus%3Derror%7D&limit=1000 http://h/t/api/traces".into()),
            ),
            (
                format!(
                    "http://g/explore?panes={{\"a\":{{\"datasource\":\"T1\",\"queries\":[{{\"query\":\"{ID}\"}}]}}}}"
                ),
                trace("http://g/api/datasources/proxy/uid/T1"),
            ),
            (
                r#"http://g/explore?left={"datasource":"T1","queries":[{"query":"{}"}],"range":{"from":"now-1h","to":"now"}}"#.into(),
                Ok("tempo http://g/api/datasources/proxy/uid/T1/api/search?q=%7B%7D&limit=100&start=1699996400&end=1700000000 \
                    http://g/api/datasources/proxy/uid/T1/api/traces".into()),
            ),
        ] {
            assert_eq!(ask(&link), want, "{link}");
        }
    }

    #[test]
    fn links_that_ask_for_nothing() {
        for (link, words) in [
            ("http://localhost:16686", "names no trace"),
            ("ftp://h/trace/4bf92f3577b34da6a3ce929d0e0e4736", "no web address"),
            ("http://u:hunter2@h/trace/4bf92f3577b34da6a3ce929d0e0e4736", "holds credentials"),
            ("http://h/trace/order-17", "no trace id"),
            ("http://g/explore?panes=x", "names no trace"),
        ] {
            let error = ask(link).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{link}: {error}");
        }
    }

    #[test]
    fn a_bare_address_and_what_is_wanted() {
        let wanted =
            Wanted { url: "http://h".into(), service: Some("web".into()), since: Some(NOW), ..Wanted::default() };
        let want = "http://h/api/traces?service=web&limit=100&start=1700000000000000&end=1700000000000000";
        assert_eq!(wanted.ask(NOW), Ok(Ask::JaegerSearch(Url::parse(want).unwrap())));
    }
}
