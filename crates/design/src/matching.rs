//! Which observed participants, destinations and operations are which of a design, and how that is known.

use std::collections::BTreeMap;

use flowglass_model::{Design, Graph, NodeId, NodeKind};

/// How a match was made, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// The design names the id, or the very name, as an alias.
    Alias,
    /// Both have the same name or address.
    Name,
    /// A channel with parameters or wildcards takes the destination.
    Pattern,
    /// A server address of the design is where it answers.
    Server,
    /// The names are the same but for case and punctuation.
    Similar,
}

impl How {
    /// As a clause: "matched by …".
    pub fn words(self) -> &'static str {
        match self {
            How::Alias => "by an alias in the design",
            How::Name => "by name",
            How::Pattern => "by a channel with parameters",
            How::Server => "by a server address in the design",
            How::Similar => "by name, case and punctuation aside",
        }
    }
}

/// One match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What is observed.
    pub observed: NodeId,
    /// What it is in the design: a participant, or a channel for a topic.
    pub designed: String,
    /// How that is known.
    pub how: How,
}

/// All matches of a design and a map. What is observed in several environments is one in the design.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    matches: BTreeMap<NodeId, (String, How)>,
}

impl Matching {
    /// Matches what is on a map. `addresses` are hosts (with or without port) and who answered there.
    pub fn new(design: &Design, graph: &Graph, addresses: &[(String, NodeId)]) -> Matching {
        let mut matches = BTreeMap::new();
        for node in &graph.nodes {
            let found = match node.kind {
                NodeKind::Topic => channel(design, node.id.name()),
                _ => participant(design, &node.id, &node.name, addresses),
            };
            if let Some(found) = found {
                matches.insert(node.id.clone(), found);
            }
        }
        Matching { matches }
    }

    /// What an observed participant or topic is in the design.
    pub fn of(&self, id: &NodeId) -> Option<&str> {
        self.matches.get(id).map(|(name, _)| name.as_str())
    }

    /// The match of an observed participant or topic.
    pub fn match_of(&self, id: &NodeId) -> Option<Match> {
        let (designed, how) = self.matches.get(id)?;
        Some(Match { observed: id.clone(), designed: designed.clone(), how: *how })
    }

    /// All matches, sorted by what is observed.
    pub fn all(&self) -> impl Iterator<Item = Match> + '_ {
        self.matches.keys().filter_map(|id| self.match_of(id))
    }
}

fn participant(design: &Design, id: &NodeId, title: &str, addresses: &[(String, NodeId)]) -> Option<(String, How)> {
    let names = [id.as_str(), id.without_environment(), id.body(), id.name(), title];
    let found = |fits: &dyn Fn(&str, &flowglass_model::DesignedParticipant) -> bool, how: How| {
        design.participants.iter().find(|(name, p)| fits(name, p)).map(|(name, _)| (name.clone(), how))
    };
    let similar = [folded(id.name()), folded(title)];
    found(&|_, p| p.aliases.iter().any(|a| names.contains(&a.as_str())), How::Alias)
        .or_else(|| found(&|name, p| names.contains(&name) && fits_kind(p.kind, id.kind()), How::Name))
        .or_else(|| {
            let answers = |host: &str| {
                (id.kind() == NodeKind::External && id.name() == host)
                    || addresses.iter().any(|(address, who)| who == id && without_port(address) == host)
            };
            found(&|_, p| p.servers.iter().filter_map(|s| host_of(s)).any(answers), How::Server)
        })
        .or_else(|| {
            found(
                &|name, p| {
                    fits_kind(p.kind, id.kind())
                        && std::iter::once(name)
                            .chain(p.aliases.iter().map(String::as_str))
                            .any(|n| similar.contains(&folded(n)))
                },
                How::Similar,
            )
        })
}

/// A user is never a service, nor the other way round; whether something is instrumented, outside or a backend the design may
/// see differently.
fn fits_kind(designed: NodeKind, observed: NodeKind) -> bool {
    (designed == NodeKind::Consumer) == (observed == NodeKind::Consumer)
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => address,
    }
}

/// The host of an address; none where it is a path, local, or a placeholder.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map(|(_, rest)| rest)?;
    let host = without_port(rest.split(['/', '?', '#']).next()?);
    (!host.is_empty() && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") && !host.contains('{')).then_some(host)
}

/// The channel of a destination.
pub(crate) fn channel(design: &Design, destination: &str) -> Option<(String, How)> {
    if design.channels.contains_key(destination) {
        return Some((destination.to_owned(), How::Name));
    }
    let alias = design.channels.iter().find(|(_, c)| c.aliases.contains(destination));
    if let Some((address, _)) = alias {
        return Some((address.clone(), How::Alias));
    }
    // The most exact pattern: that with the fewest open places.
    let fits = design.channels.keys().filter(|address| address_fits(address, destination));
    fits.min_by_key(|address| open_places(address)).map(|address| (address.clone(), How::Pattern))
}

fn is_open(token: &str) -> bool {
    token == "*" || token == ">" || token == "#" || token == "+" || (token.contains('{') && token.contains('}'))
}

fn open_places(address: &str) -> usize {
    tokens(address).filter(|t| is_open(t)).count()
}

fn tokens(address: &str) -> impl Iterator<Item = &str> {
    address.split(['.', '/'])
}

/// Whether an address with `{parameters}`, or the wildcards of NATS, AMQP and MQTT, takes a destination.
fn address_fits(address: &str, destination: &str) -> bool {
    let (mut pattern, mut given) = (tokens(address), tokens(destination));
    loop {
        match (pattern.next(), given.next()) {
            (Some(">" | "#"), Some(_)) => return true,
            (Some(token), Some(part)) if part == token || is_open(token) && token_fits(token, part) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// A token such as `v{version}`: what stands around the parameter must be there.
fn token_fits(token: &str, part: &str) -> bool {
    let Some((before, rest)) = token.split_once('{') else { return true };
    let after = rest.rsplit_once('}').map_or("", |(_, after)| after);
    part.len() > before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
}

/// The operation of a design that an observed one is. Parameters of a path may be written in any way; servers may put a prefix
/// in front.
pub(crate) fn operation<'a>(
    designed: impl Iterator<Item = &'a String>,
    servers: &[String],
    observed: &str,
) -> Option<&'a str> {
    let mut fits: Vec<&String> = designed.filter(|d| operation_fits(d, servers, observed)).collect();
    fits.sort_by_key(|d| (d.as_str() != observed, unlike(d, observed), d.matches('{').count()));
    fits.first().map(|d| d.as_str())
}

fn operation_fits(designed: &str, servers: &[String], observed: &str) -> bool {
    if designed == observed {
        return true;
    }
    let (Some((method, path)), Some((seen_method, seen))) = (designed.split_once(' '), observed.split_once(' ')) else {
        return false;
    };
    if method != seen_method || !seen.starts_with('/') {
        return false;
    }
    let prefixes = servers.iter().filter_map(|s| {
        let rest = s.split_once("://").map_or(s.as_str(), |(_, rest)| rest);
        rest.find('/').map(|at| rest[at..].trim_end_matches('/').to_owned()).filter(|p| !p.is_empty())
    });
    std::iter::once(String::new()).chain(prefixes).any(|prefix| path_fits(&format!("{prefix}{path}"), seen))
}

fn path_fits(designed: &str, observed: &str) -> bool {
    let parts = |path: &'_ str| path.trim_end_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(designed), parts(observed));
    a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x == y || is_parameter(x) || is_parameter(y))
}

/// In how many parts of their paths one has a parameter and the other a name; a server's prefix stands in front of either.
fn unlike(designed: &str, observed: &str) -> usize {
    let parts = |path: &'_ str| path.trim_end_matches('/').rsplit('/').map(is_parameter).collect::<Vec<_>>();
    parts(designed).iter().zip(&parts(observed)).filter(|(x, y)| x != y).count()
}

fn is_parameter(part: &str) -> bool {
    part.contains('{') || part.starts_with(':') || part.starts_with('<') || part == "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_take_destinations() {
        for (address, destination, fits) in [
            ("orders.{region}.placed", "orders.eu.placed", true),
            ("orders.*.placed", "orders.eu.placed", true),
            ("orders.>", "orders.eu.placed", true),
            ("orders.>", "orders", false),
            ("orders.*", "orders.eu.placed", false),
            ("orders/v{n}/placed", "orders/v1/placed", true),
            ("orders/v{n}/placed", "orders/1/placed", false),
            ("orders.placed", "orders.placed.dlq", false),
        ] {
            assert_eq!(address_fits(address, destination), fits, "{address} {destination}");
        }
    }

    #[test]
    fn operations_are_the_same_however_parameters_are_written() {
        let designed = ["GET /orders/{id}".to_owned(), "GET /orders/open".to_owned(), "POST /orders".to_owned()];
        let servers = ["https://api.example/v1/".to_owned()];
        for (observed, expected) in [
            ("GET /orders/:orderId", Some("GET /orders/{id}")),
            ("GET /orders/open", Some("GET /orders/open")),
            ("GET /orders/17", Some("GET /orders/{id}")),
            ("GET /v1/orders/{order_id}", Some("GET /orders/{id}")),
            ("GET /v2/orders/{order_id}", None),
            ("POST /orders/", Some("POST /orders")),
            ("DELETE /orders/{id}", None),
        ] {
            assert_eq!(operation(designed.iter(), &servers, observed), expected, "{observed}");
        }
    }
}
