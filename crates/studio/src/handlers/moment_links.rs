//! The same moment elsewhere: addresses made from templates of the settings.

use flowglass_model::{LinkTemplate, Nanos};

use super::trace_id;
use crate::Studio;
use crate::api::{ApiError, JourneyRequest, MomentLink, MomentLinks};
use crate::time::rfc3339;

/// Added in front of and behind a journey: clocks differ, and logs come late.
const AROUND: Nanos = 60_000_000_000;

/// See [`MomentLinks`].
pub(crate) async fn moment_links(studio: &Studio, request: JourneyRequest) -> Result<MomentLinks, ApiError> {
    let id = trace_id(&request.id)?;
    let links = studio.ask(move |workspace| {
        let root = workspace.journey_of(id)?;
        let Some(summary) = workspace.read(|r| r.journey_summary(root))? else { return Ok(Vec::new()) };
        let end = summary.start + summary.settled.or(summary.response).unwrap_or(0);
        let key = summary.keys.first().map_or_else(String::new, |(_, value)| value.clone());
        let moment = Moment {
            trace: summary.id.to_string(),
            service: summary.root_participant.name().to_owned(),
            key,
            from: summary.start - AROUND,
            to: end + AROUND,
        };
        let config = workspace.settings().config;
        Ok(config.links.iter().filter_map(|template| moment.link(template)).collect())
    });
    Ok(MomentLinks { links: links.await? })
}

/// What templates can be filled with.
struct Moment {
    trace: String,
    service: String,
    key: String,
    from: Nanos,
    to: Nanos,
}

impl Moment {
    /// A template filled in; `None` when it is no web address.
    fn link(&self, template: &LinkTemplate) -> Option<MomentLink> {
        let mut url = template.url.clone();
        for (name, value) in [
            ("{trace}", self.trace.clone()),
            ("{service}", self.service.clone()),
            ("{key}", self.key.clone()),
            ("{from_ms}", (self.from / 1_000_000).to_string()),
            ("{to_ms}", (self.to / 1_000_000).to_string()),
            ("{from_s}", (self.from / 1_000_000_000).to_string()),
            ("{to_s}", (self.to / 1_000_000_000).to_string()),
            ("{from}", rfc3339(self.from)),
            ("{to}", rfc3339(self.to)),
        ] {
            url = url.replace(name, &encoded(&value));
        }
        let parsed = url::Url::parse(&url).ok()?;
        let web = matches!(parsed.scheme(), "http" | "https") && parsed.username().is_empty();
        web.then(|| MomentLink { name: template.name.clone(), url: parsed.into() })
    }
}

/// Percent-encoded as a component (RFC 3986, unreserved characters stay).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_cannot_change_the_address() {
        let moment = Moment {
            trace: "4bf9".into(),
            service: "web".into(),
            key: "a&b=/../#x".into(),
            from: 1_700_000_000_000_000_000,
            to: 1_700_000_060_000_000_000,
        };
        let link = |url: &str| moment.link(&LinkTemplate { name: "x".into(), url: url.into() }).map(|l| l.url);
        assert_eq!(
            link("https://kibana.example/app?q={key}&from={from}&t={trace}").as_deref(),
            Some("https://kibana.example/app?q=a%26b%3D%2F..%2F%23x&from=2023-11-14T22%3A13%3A20.000000000Z&t=4bf9")
        );
        assert_eq!(
            link("https://g/e?from={from_ms}&to={to_s}").as_deref(),
            Some("https://g/e?from=1700000000000&to=1700000060")
        );
        assert_eq!(link("javascript:alert({key})"), None);
        assert_eq!(link("{key}"), None);
    }
}
