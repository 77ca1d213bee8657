//! Workloads and their arrivals.

use std::collections::{BTreeMap, BTreeSet};

use super::TimesReader;
use super::read::{Reader, suggestion};
use super::tree::{Node, Value};
use crate::model::{Arrivals, BatchSize, Operation, Workload};

pub(super) fn workloads(
    r: &mut Reader,
    node: Option<&Node>,
    operations: &BTreeMap<String, Operation>,
    times: TimesReader<'_>,
) -> Vec<Workload> {
    let mut all: Vec<Workload> = Vec::new();
    let mut names = BTreeSet::new();
    let Some(node) = node else { return all };
    let Value::List(items) = &node.value else {
        r.wrong(node.at, format!("workloads are a list, this is {}", node.kind()));
        return all;
    };
    for item in items {
        if r.is_full() {
            return all;
        }
        let Some(workload) = workload(r, item, operations, times) else { continue };
        if !names.insert(workload.name.clone()) {
            r.wrong(item.at, format!("there are two workloads called `{}`", workload.name));
        }
        all.push(workload);
    }
    all
}

fn workload(
    r: &mut Reader,
    node: &Node,
    operations: &BTreeMap<String, Operation>,
    times: TimesReader<'_>,
) -> Option<Workload> {
    r.map(node, "a workload", &["name", "to", "arrivals", "until", "patience", "priority", "description"])?;
    let to = r.wanted(node, "to")?;
    let operation = r.text(to, "an operation")?;
    if !operations.contains_key(&operation) {
        let hint = suggestion(&operation, operations.keys().map(String::as_str));
        r.wrong(to.at, format!("there is no operation `{operation}`{hint}"));
    }
    let name = r.maybe(node, "name", |r, n| r.text(n, "a name")).unwrap_or_else(|| operation.clone());
    let arrivals = r.wanted(node, "arrivals")?;
    let inside = r.maybe(arrivals, "until", Reader::duration);
    Some(Workload {
        name,
        to: operation,
        until: r.maybe(node, "until", Reader::duration).or(inside),
        arrivals: read_arrivals(r, arrivals, times)?,
        patience: r.maybe(node, "patience", Reader::duration),
        priority: r.maybe(node, "priority", |r, n| r.whole(n, 0, 1000)).unwrap_or(0) as u32,
    })
}

fn read_arrivals(r: &mut Reader, node: &Node, times: TimesReader<'_>) -> Option<Arrivals> {
    const KINDS: [&str; 9] = ["poisson", "every", "renewal", "batches", "users", "on_off", "rates", "times", "until"];
    r.map(node, "arrivals", &KINDS)?;
    let kinds: Vec<_> = node.fields().iter().filter(|f| f.key != "until").collect();
    let [field] = kinds.as_slice() else {
        r.wrong(node.at, format!("arrivals have one kind: {}", KINDS[..8].join(", ")));
        return None;
    };
    let inside = &field.node;
    Some(match field.key.as_str() {
        "poisson" => Arrivals::Poisson(r.rate(inside)?),
        "every" => match r.duration(inside)? {
            0 => {
                r.wrong(inside.at, "the interval must be above zero");
                return None;
            }
            interval => Arrivals::Every(interval),
        },
        "renewal" => {
            let gap = r.dist(inside)?;
            if gap.mean() < 1.0 {
                r.wrong(inside.at, "the mean gap must be above zero");
                return None;
            }
            Arrivals::Renewal(gap)
        }
        "batches" => {
            r.map(inside, "batches", &["poisson", "size"])?;
            let (rate, size) = (r.wanted(inside, "poisson")?, r.wanted(inside, "size")?);
            let poisson = r.rate(rate)?;
            let size = if matches!(size.value, Value::Map(_)) {
                r.map(size, "a size", &["geometric"])?;
                let mean = r.wanted(size, "geometric")?;
                let value = r.number(mean, 1.0)?;
                if value > 1e6 {
                    r.wrong(mean.at, "the mean size of a batch is above 1,000,000");
                    return None;
                }
                BatchSize::Geometric(value)
            } else {
                BatchSize::Fixed(r.whole(size, 1, 1_000_000)? as u32)
            };
            Arrivals::Batches { poisson, size }
        }
        "users" => {
            r.map(inside, "users", &["count", "think"])?;
            let (count, think) = (r.wanted(inside, "count")?, r.wanted(inside, "think")?);
            Arrivals::Users { count: r.whole(count, 1, 1_000_000)? as u32, think: r.dist(think)? }
        }
        "on_off" => {
            r.map(inside, "on_off", &["rate", "busy", "idle"])?;
            let (rate, busy, idle) = (r.wanted(inside, "rate")?, r.wanted(inside, "busy")?, r.wanted(inside, "idle")?);
            let at = busy.at;
            let (rate, busy, idle) = (r.rate(rate)?, r.dist(busy)?, r.dist(idle)?);
            if busy.mean() < 1.0 {
                r.wrong(at, "the mean busy time must be above zero");
                return None;
            }
            Arrivals::OnOff { rate, busy, idle }
        }
        "rates" => Arrivals::Rates(rates(r, inside)?),
        "times" => {
            let name = r.text(inside, "a file")?;
            match times(&name) {
                Ok(instants) => Arrivals::Times(instants),
                Err(why) => {
                    r.wrong(inside.at, why);
                    return None;
                }
            }
        }
        _ => return None,
    })
}

fn rates(r: &mut Reader, node: &Node) -> Option<Vec<(u64, f64)>> {
    let mut steps = Vec::new();
    for item in node.items() {
        let [at, rate] = item.items() else {
            r.wrong(item.at, "a step of rates is a pair such as [60s, 400/s]");
            return None;
        };
        steps.push((r.duration(at)?, r.rate(rate)?));
    }
    if steps.first().is_none_or(|s| s.0 != 0) || steps.windows(2).any(|w| w[0].0 >= w[1].0) {
        r.wrong(node.at, "rates are pairs such as [[0s, 50/s], [60s, 400/s]], from 0s on and growing");
        return None;
    }
    Some(steps)
}
