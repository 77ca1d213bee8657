//! What rules are called, why they matter and what to do about an offence.

use flowglass_model::Rule;

/// The texts of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleText {
    /// A short name.
    pub title: &'static str,
    /// What it is about.
    pub area: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// The texts of a built-in rule.
pub fn rule_text(rule: Rule) -> RuleText {
    let (title, area, why, advice) = match rule {
        Rule::LayerBypass => (
            "Layer bypass, experience calls system",
            "Layering",
            "The process layer holds the business logic. Going past it copies that logic into a channel, and the channel breaks with every change of the system behind it.",
            "Route the call through a process API; add the operation there if none has it.",
        ),
        Rule::UpwardCall => (
            "Upward call",
            "Layering",
            "A lower layer serves everybody the same and knows nothing of those above. Calling up turns the layers into a ring: neither side can be changed, tested or started without the other.",
            "Pass what is needed down with the request, or publish an event and let the higher layer react to it.",
        ),
        Rule::Cycle => (
            "Call cycle",
            "Layering",
            "Services that call each other in a circle fail together, wait for each other under load and can only be released together.",
            "Cut the rarest call of the circle: move the operation to the side that owns the data, or replace the call with an event.",
        ),
        Rule::LogicInSystemLayer => (
            "Logic in the system layer",
            "Layering",
            "A system API exposes one system, the same for everybody. Combining several is a business process, hidden where no one looks for it and no one else can use it.",
            "Move the combination to a process API that calls each system API.",
        ),
        Rule::ReadOverEvent => (
            "Read over events",
            "Style",
            "A query needs its answer now. Over the event system it waits for a queue, cannot be cached by anything in between and fails without a status.",
            "Make it an API call; where the same answer serves many, keep a view that events feed.",
        ),
        Rule::SyncWriteFanOut => (
            "Synchronous write fan-out",
            "Style",
            "Each further system that is written to before the caller gets its answer adds its time and its failures to the response, though the caller needs none of them.",
            "Write where the answer comes from, publish what happened, and let the other systems follow at their own pace.",
        ),
        Rule::CacheableRead => (
            "Cacheable read",
            "Style",
            "The same question is asked again while its answer is still young: load and waiting time that a cache would save.",
            "Say with Cache-Control how long an answer holds, and keep it on the caller's side or in a gateway.",
        ),
        Rule::ChattyCalls => (
            "Chatty calls",
            "Style",
            "One request asks the same operation many times (N+1): its time grows with the data, and so does the load on the other side.",
            "Ask once for all: a batch operation, a filter with several ids, or a join.",
        ),
        Rule::UnauthorizedSystemCall => (
            "System API called without credentials",
            "Security",
            "A system API acts with the rights of the system behind it. A call without credentials uses those rights for nobody in particular, and nobody can be held to account.",
            "Send the caller's token on this path too, and let the system API answer 401 where it is missing.",
        ),
        Rule::NonRfc3339Date => (
            "Date is neither RFC 3339 nor ISO 8601",
            "Contracts",
            "Below the experience layer dates are for programs. `02/11/2026` is two different days to two readers, has no time zone and does not sort.",
            "Keep and pass `2026-11-02T09:30:00Z`; reshape it in the experience API, if a channel needs that.",
        ),
        Rule::MissingTraceContext => (
            "Missing trace context",
            "Telemetry",
            "What happens next cannot be joined to what caused it: journeys break here, and support has to guess.",
            "Inject `traceparent` when sending (W3C Trace Context; for CloudEvents also the `traceparent` attribute).",
        ),
        Rule::EventWithoutConsumer => (
            "Event without consumer",
            "Events",
            "Somebody pays for publishing and storing what nobody reads; or a consumer that should be there is missing.",
            "Start the consumer, or stop publishing. For dead letters: somebody must look at them.",
        ),
        Rule::DeadLettered => (
            "Dead-lettered messages",
            "Events",
            "The work these messages ask for was not done, and will not be without somebody's help.",
            "Read why the handler failed, mend it, and publish the messages again; make permanent errors fail at once.",
        ),
        Rule::Redelivered => (
            "Redelivered messages",
            "Events",
            "Handlers ran more than once for one message: work is done late, and twice where the handler is not idempotent.",
            "Find out why the first delivery was not acknowledged (failure, or slower than the acknowledgement wait).",
        ),
        Rule::DuplicateEvent => (
            "Duplicate events",
            "Events",
            "One event was published twice and both copies were stored: every consumer has to notice, or does its work twice.",
            "Let the broker drop the second one (`Nats-Msg-Id` set to the event id, an idempotent producer), or find who publishes again.",
        ),
        Rule::ConsumerLag => (
            "Consumer lag",
            "Events",
            "Messages wait longer than they should before anybody handles them: what follows is late by as much.",
            "Run more handlers, make each handling shorter, or let messages that are not urgent use a queue of their own.",
        ),
    };
    RuleText { title, area, why, advice }
}
