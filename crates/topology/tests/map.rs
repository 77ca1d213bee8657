//! Folding of names, deliveries and environments, as small stories.

mod common;

use common::told;
use flowglass_model::{Alias, Config, Owner};
use flowglass_testkit::render_graph;
use flowglass_topology::{Folding, graph};

fn map_with(text: &str, config: &Config, environment: Option<&str>) -> String {
    let g = graph(&told(text).series(), config, environment);
    render_graph(&g).lines().filter(|l| !l.contains('[')).map(|l| format!("{l}\n")).collect()
}

fn map(text: &str) -> String {
    map_with(text, &Config::default(), None)
}

#[test]
fn missing_consumer_spans_are_filled_in_from_deliveries() {
    let spans = "p process mail topic=nats/o group=mailer env=prod\n";
    let one = "consume topic:nats/o@prod -> service:mail@prod 1\n";
    assert_eq!(map(&format!("{spans}delivery nats/o mailer")), one);
    assert_eq!(
        map(&format!("{spans}delivery nats/o mailer\ndelivery nats/o mailer")),
        "consume topic:nats/o@prod -> service:mail@prod 2\n"
    );
    let ungrouped = "p process mail topic=nats/o\n";
    assert_eq!(map(&format!("{ungrouped}delivery nats/o x")), "consume topic:nats/o -> service:mail 1\n");
    assert_eq!(
        map(&format!("{ungrouped}delivery nats/o x\ndelivery nats/o y")),
        "consume topic:nats/o -> service:mail 1\nconsume topic:nats/o -> service:y 1\n",
        "one span covers one of the two"
    );
    assert_eq!(
        map("s server shop/audit env=prod <gone\ndelivery nats/o audit"),
        "consume topic:nats/o -> service:shop/audit@prod 1\nunresolved service:shop/audit@prod CallerMissing 1\n",
        "a consumer named like a service is that service"
    );
}

#[test]
fn topics_and_guessed_services_find_their_environment_when_there_is_only_one() {
    let guess = "message nats/o source=/api id=x\n";
    let one = "a send shop/api topic=nats/o env=prod\n";
    assert_eq!(map(&format!("{guess}{one}")), "publish service:shop/api@prod -> topic:nats/o@prod 2\n");
    let two = format!("{guess}{one}b send shop/api topic=nats/o env=test\n");
    assert!(map(&two).contains("publish service:api -> topic:nats/o 1\n"), "{}", map(&two));
}

#[test]
fn environments_stay_apart_and_can_be_filtered() {
    let text = "a server api env=prod\nb server api env=test\nc send api topic=nats/o env=prod\ndelivery nats/o audit";
    assert_eq!(
        map_with(text, &Config::default(), Some("prod")),
        "call consumer:client@prod -> service:api@prod 1\n\
         publish service:api@prod -> topic:nats/o@prod 1\n\
         consume topic:nats/o@prod -> service:audit 1\n"
    );
}

#[test]
fn peers_merge_by_address_name_and_label_and_bare_addresses_are_no_nodes() {
    let text = "
        a client web peer=10.1.1.1:80
        b server api <a
        c client web peer=10.1.1.1:80
        d client web peer=api.shop.svc:8080
        e client web service=api
        f client web peer=10.9.9.9:80
        g client web peer=localhost:1
        h client web peer=erp.example:443";
    assert_eq!(
        map(text),
        "call service:web -> external:erp.example 1\ncall service:web -> service:api 4\nunresolved service:web PeerIsAddress 2\n"
    );
}

#[test]
fn a_host_keeps_its_id_and_bears_the_name_its_callers_give_it() {
    let text = "
        a client web peer=pay.example:443 service=Card-acquirer
        b client web peer=10.2.2.2:443 service=Mail-relay
        c client web peer=stock.svc:80 service=api
        d server api";
    let g = graph(&told(text).series(), &Config::default(), None);
    let named: Vec<(&str, &str)> = g.nodes.iter().map(|n| (n.id.as_str(), n.name.as_str())).collect();
    assert_eq!(
        named,
        [
            ("consumer:client", "client"),
            ("external:Mail-relay", "Mail-relay"),
            ("external:pay.example", "Card-acquirer"),
            ("service:api", "api"),
            ("service:web", "web"),
        ]
    );
}

#[test]
fn an_address_that_two_services_answer_names_neither() {
    let text = "
        a client web peer=gw:80
        b server api <a
        c client web peer=gw:80
        d server crm <c
        e client web peer=gw:80";
    assert!(map(text).contains("call service:web -> external:gw 1\n"), "{}", map(text));
}

#[test]
fn aliases_owners_and_domains_come_from_the_configuration() {
    let alias = |from: &str, to: &str| Alias { from: from.into(), to: to.into() };
    let owner = Owner { match_name: "ap*".into(), owner: "Ann".into(), contact: None, runbook: None };
    let config = Config {
        aliases: vec![alias("erp.example", "SAP"), alias("service:old", "service:api")],
        owners: vec![owner],
        domains: [("api".to_owned(), "Sales".to_owned())].into(),
        ..Config::default()
    };
    let text = "a client api peer=erp.example\nb client old peer=erp.example:443\nc server shop/x";
    let series = told(text).series();
    let g = graph(&series, &config, None);
    assert!(render_graph(&g).contains("call service:api -> external:SAP 2"), "{}", render_graph(&g));
    let node = |id: &str| g.nodes.iter().find(|n| n.id.as_str() == id).unwrap();
    let api = node("service:api");
    assert_eq!((api.owner.as_deref(), api.domain.as_deref()), (Some("Ann"), Some("Sales")));
    assert_eq!(node("service:shop/x").domain.as_deref(), Some("shop"));
    assert!(api.instrumented && !node("external:SAP").instrumented);
    let folding = Folding::new(&series, &config);
    assert_eq!(folding.node(&"external:erp.example:443".into()), Some("external:SAP".into()));
}

#[test]
fn figures_of_nodes_are_what_they_handled_or_what_was_exchanged() {
    let series = told("a server web @0..10\nb client web <a peer=erp.example @1..9 err").series();
    let g = graph(&series, &Config::default(), None);
    let stats = |id: &str| g.nodes.iter().find(|n| n.id.as_str() == id).unwrap().stats;
    assert_eq!((stats("service:web").count, stats("service:web").errors), (1, 0));
    let erp = stats("external:erp.example");
    assert_eq!((erp.count, erp.errors), (1, 1));
    assert!((erp.p50_ms.unwrap() - 8.0).abs() < 0.05 && (stats("service:web").p95_ms.unwrap() - 10.0).abs() < 0.06);
}
