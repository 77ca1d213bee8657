use proptest::prelude::*;

use super::*;
use crate::{JourneyState, JourneySummary, Layer, NodeId, TraceId};

fn journey() -> JourneySummary {
    JourneySummary {
        id: TraceId::new([7; 16]).unwrap(),
        root: "web-orders-exp-api POST /orders".into(),
        root_participant: NodeId::from("service:shop/web-orders-exp-api@prod"),
        start: 0,
        response: Some(296_000_000),
        settled: Some(2_400_000_000),
        state: JourneyState::Degraded,
        participants: vec![
            NodeId::from("backend:postgresql/db/orders"),
            NodeId::from("service:shop/order-prc-api@prod"),
            NodeId::from("service:shop/web-orders-exp-api@prod"),
            NodeId::from("topic:nats/orders.placed"),
        ],
        spans: 9,
        events: 1,
        errors: 1,
        retries: 2,
        dead_lettered: false,
        keys: vec![("orderId".into(), "ORD-1".into())],
        failure: Some("payments-sys-api POST /charge timed out".into()),
        effects: Vec::new(),
    }
}

fn passes(text: &str) -> bool {
    let process = Place { layer: Some(Layer::Process), owner: Some("Team Orders".into()), ..Place::default() };
    let places = Places::from([(NodeId::from("service:shop/order-prc-api@prod"), process)]);
    let filter = Filter::parse(text, View::Journeys).unwrap_or_else(|p| panic!("{text}: {p}"));
    filter.passes_journey(&journey(), &places, &|_| false)
}

#[test]
fn journeys_pass_when_every_term_holds() {
    for text in [
        "",
        "service:order-prc-api",
        "service:shop/order-prc-api",
        "service:service:shop/order-prc-api@prod",
        "service:ORDER-*-api,nobody",
        "-service:payments",
        "layer:process owner:\"team orders\" env:prod system:postgresql subject:orders.*",
        "operation:\"POST /orders\" operation:*orders",
        "state:degraded,failed status:ok",
        "duration>2s duration<=2400ms response<300ms",
        "retried:true dead-lettered:false",
        "key:ORD-1 key.orderId:ORD* key.ORDERID:ORD-1",
        "timed POST -refund",
        "id:0707*",
        "\"POST /charge\"",
    ] {
        assert!(passes(text), "{text}");
    }
    for text in [
        "service:order",
        "-service:order-prc-api",
        "layer:experience",
        "state:ok",
        "duration<2s",
        "-retried:true",
        "key:ord-1",
        "key.customerId:ORD-1",
        "-timed",
        "trace:07070707070707070707070707070707",
        "subject:order-prc-api",
    ] {
        assert!(!passes(text), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    for (text, view, at, words) in [
        ("state:ok colour:red", View::Journeys, 9..19, "there is no field `colour`"),
        ("level:warn", View::Journeys, 0..10, "Journeys cannot be filtered by `level`"),
        ("outcome:acked", View::Logs, 0..13, "Logs cannot be filtered by `outcome`"),
        ("x service:", View::Journeys, 2..10, "needs a value"),
        ("state:", View::Journeys, 0..6, "ok, degraded, failed"),
        ("-state:fine", View::Journeys, 0..11, "`fine` is no state"),
        ("service:a,,b", View::Journeys, 0..12, "needs a value"),
        ("\"open x", View::Journeys, 0..7, "never closed"),
        ("duration>soon", View::Journeys, 0..13, "500ms"),
        ("duration:2s", View::Journeys, 0..11, "duration>500ms"),
        ("service>a", View::Journeys, 0..9, "cannot be compared"),
        ("@http.route", View::Logs, 0..11, "needs its name and a value"),
        ("@x:1", View::Map, 0..4, "no attributes"),
        ("level>=loud", View::Logs, 0..11, "trace, debug"),
        ("ä state:x", View::Journeys, 3..10, "`x` is no state"),
    ] {
        let problem = Filter::parse(text, view).expect_err(text);
        assert!(problem.message.contains(words), "{text}: {problem}");
        assert_eq!(problem.at, at, "{text}");
    }
}

#[test]
fn words_may_look_like_anything_in_quotes() {
    let tests = |text: &str| {
        let filter = Filter::parse(text, View::Logs).unwrap();
        filter.terms.into_iter().map(|t| (t.negated, t.test)).collect::<Vec<_>>()
    };
    let word = |w: &str| Test::Words(Pattern::whole(w));
    assert_eq!(
        tests(r#""level:warn" 14:31 a,b - ->"#)[..4],
        [(false, word("level:warn")), (false, word("14:31")), (false, word("a,b")), (false, word("-")),]
    );
    assert_eq!(tests(r#"-"a \"b\" \\ \*""#), [(true, word(r#"a "b" \ *"#))]);
    let value = |f, v: &str| (false, Test::Is(f, vec![Pattern::wild(v)]));
    assert_eq!(tests(r#"@"my header":*x*"#), [value(Field::Attribute("my header".into()), "*x*")]);
    assert_eq!(tests("severity:Warn"), [value(Field::Level, "warn")]);
    assert_eq!(tests("level>=error"), [(false, Test::Compare(Field::Level, Comparison::AtLeast, 5))]);
}

#[test]
fn patterns_match_whole_values_and_words_anywhere() {
    for (pattern, text, want) in [
        ("a*c", "abc", true),
        ("a*c", "ab", false),
        ("*", "", true),
        ("a**", "a", true),
        ("", "", true),
        ("", "a", false),
    ] {
        assert_eq!(Pattern::wild(pattern).matches(text), want, "{pattern} {text}");
    }
    assert!(Pattern::wild("ord*placed").occurs_in("Topic ORDERS.placed now"));
    assert!(!Pattern::wild("placed*ord").occurs_in("orders.placed"));
    assert_eq!(
        [0, 1, 4, 5, 9, 13, 17, 21, 24].map(level_word),
        ["unset", "trace", "trace", "debug", "info", "warn", "error", "fatal", "fatal"]
    );
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop::collection::vec("[a-zA-Z0-9 :,\"\\\\*<>@äß\\-]{0,6}", 1..4).prop_map(Pattern::new)
}

fn test() -> impl Strategy<Value = Test> {
    let field = prop_oneof![
        Just(Field::Service),
        Just(Field::Subject),
        Just(Field::Key(None)),
        "[a-z][a-zA-Z_.-]{0,5}".prop_map(|n| Field::Key(Some(n))),
        "[a-z :\"\\\\*<>.]{1,6}".prop_map(Field::Attribute),
    ];
    let compare = (prop_oneof![Just(Field::Duration), Just(Field::Response)], 0..4u8, 0..10_000_000_000_000i64);
    let how = |n| match n {
        0 => Comparison::More,
        1 => Comparison::AtLeast,
        2 => Comparison::Less,
        _ => Comparison::AtMost,
    };
    prop_oneof![
        pattern().prop_map(Test::Words),
        (field, prop::collection::vec(pattern(), 1..4)).prop_map(|(f, v)| Test::Is(f, v)),
        Just(Test::Is(Field::State, vec![Pattern::whole("failed"), Pattern::whole("in-progress")])),
        compare.prop_map(move |(f, c, n)| Test::Compare(f, how(c), n)),
    ]
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same(terms in prop::collection::vec((any::<bool>(), test()), 0..5)) {
        let terms = terms.into_iter().map(|(negated, test)| Term { negated, test, at: 0..0 }).collect();
        let filter = Filter { terms };
        let text = filter.to_string();
        let again = Filter::parse(&text, View::Journeys);
        prop_assert_eq!(again.as_ref(), Ok(&filter), "{}", text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,40}") {
        for view in [View::Journeys, View::Events, View::Logs, View::Map] {
            if let Err(problem) = Filter::parse(&text, view) {
                prop_assert!(text.get(problem.at.clone()).is_some(), "{}", problem);
            }
        }
    }
}
