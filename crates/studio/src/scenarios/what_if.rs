//! "What if this call became an event": an observed scenario with a variant in which it is one.

use flowglass_scenario::model::{Scenario, Step};

use super::read_scenario_at;

/// The name of the variant.
const NAME: &str = "as-event";

/// Adds a variant in which all calls from one participant to another are events, on top of what is one already. `None` when the
/// scenario has no such call: the one that was asked about is not among the journeys it was made of.
pub(crate) fn with_event(yaml: &str, caller: &str, callee: &str) -> Option<String> {
    let scenario = read_scenario_at(yaml, std::path::Path::new("")).ok()?;
    let (caller, callee) = (participant(&scenario, caller)?, participant(&scenario, callee)?);
    let mut steps = Vec::new();
    for (name, operation) in &scenario.design.operations {
        if name.starts_with(&format!("{caller}.")) {
            calls(&operation.steps, &format!("{callee}."), &mut steps);
        }
    }
    let mut events = scenario.variants.first().map(|v| v.events.clone()).unwrap_or_default();
    steps.retain(|step| !events.contains_key(step));
    if steps.is_empty() {
        return None;
    }
    events.extend(steps.into_iter().map(|step| (step, format!("{callee}.requests"))));
    let mut variant = format!("  {NAME}: # the calls from {caller} to {callee} as events\n    events:\n");
    for (step, channel) in events {
        variant.push_str(&format!("      {}: {}\n", serde_json::json!(step), serde_json::json!(channel)));
    }
    // Variants stand right before the sources.
    let at = yaml.rfind("\nsources:").map_or(yaml.len(), |at| at);
    let (before, after) = yaml.split_at(at);
    let text = format!("{}\n{variant}{after}", before.trim_end());
    read_scenario_at(&text, std::path::Path::new("")).is_ok().then_some(text)
}

/// The participant that a name became: letters and digits are the same.
fn participant<'s>(scenario: &'s Scenario, name: &str) -> Option<&'s str> {
    let folded = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    scenario.design.participants.keys().find(|known| folded(known) == folded(name)).map(String::as_str)
}

fn calls(steps: &[Step], callee: &str, out: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Do(step) if step.operation.starts_with(callee) => out.push(step.id.clone()),
            Step::Do(_) | Step::Think { .. } => {}
            Step::Parallel(steps) | Step::Repeat { steps, .. } => calls(steps, callee, out),
            Step::Choose(choices) => choices.iter().for_each(|choice| calls(&choice.steps, callee, out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "flowglass: scenario/1\ntitle: t\nworkloads:\n  - { name: w, to: web-api.place, arrivals: { poisson: 1/s } }\nparticipants:\n  web-api: {}\n  order: {}\n  mail: {}\noperations:\n  web-api.place:\n    work: { exp: 1ms }\n    steps:\n      - { id: order, do: order.take, intent: write }\n      - parallel:\n          - { id: tell, do: mail.send, intent: notify, needs: nothing }\n  order.take: { work: { exp: 1ms } }\n  mail.send: { work: { exp: 1ms } }\n\nvariants:\n  observed:\n    events:\n      tell: mails\n\nsources:\n  /operations/order.take/work: measured\n";

    #[test]
    fn the_call_becomes_an_event_and_events_stay() {
        let text = with_event(TEXT, "Web_API", "order").unwrap();
        let scenario = read_scenario_at(&text, std::path::Path::new("")).unwrap();
        let variant = scenario.variant(NAME).unwrap();
        assert_eq!(variant.events["order"], "order.requests");
        assert_eq!(variant.events["tell"], "mails");
        assert_eq!(with_event(TEXT, "order", "mail"), None, "there is no such call");
        assert_eq!(with_event(TEXT, "web-api", "mail"), None, "it is an event already");
    }
}
