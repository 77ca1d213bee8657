//! Designs in the formats of others: what is taken, what is told, and the way there and back.

use flowglass_design::export::{Format, export};
use flowglass_design::{File, Imported, import, read, value_of, write};
use flowglass_model::Design;

fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into(), referred: false }
}

fn imported(files: &[(&str, &str)]) -> Imported {
    let files: Vec<File> = files.iter().map(|(path, text)| file(path, text)).collect();
    import(&files).unwrap()
}

/// Everything that a design can say.
const WHOLE: &str = r##"flowglass: design/1
title: Orders
participants:
  "Billing (old)":
    kind: external
    servers: ["https://billing.example/api"]
  order-prc-api:
    layer: process
    domain: Sales
    owner: "team a/b"
    criticality: high
    description: Takes orders.
    aliases: ["orders"]
    servers: ["https://orders.example/v1"]
    operations:
      "GET /orders/{id}": One order
      "POST /orders": ""
      orders.Orders/Cancel: Over gRPC
    calls:
      "Billing (old)": []
      payments-sys-api: ["POST /charge"]
    publishes: ["orders.{region}.placed"]
    consumes: [payments.done]
    uses: [orders-db]
  orders-db:
    kind: backend
    system: postgresql
  payments-sys-api:
    layer: system
    operations:
      "POST /charge": ""
    publishes: [payments.done]
  web:
    kind: consumer
    calls:
      order-prc-api: []
channels:
  audit:
    system: nats
    description: Nobody listens yet.
  "orders.{region}.placed":
    system: nats
    owner: order team
    aliases: [orders.placed]
    messages:
      OrderPlaced:
        contentType: application/json
        schema:
          $defs:
            Node:
              properties:
                next:
                  $ref: "#/$defs/Node"
              type: object
          properties:
            first:
              $ref: "#/$defs/Node"
            id:
              type: string
          required: [id]
          type: object
  payments.done:
    system: nats
"##;

#[test]
fn a_design_leaves_and_comes_back_the_same() {
    let mut design = read(WHOLE).unwrap();
    let text = write(&design);
    assert_eq!(write(&read(&text).unwrap()), text, "its own form");
    assert_eq!(read(&text).unwrap(), design);
    let files = export(&design, Format::Backstage);
    let files: Vec<File> = files.iter().map(|f| file(&f.path, &f.text)).collect();
    let back = import(&files).unwrap();
    assert!(back.notes.is_empty() && back.wanted.is_empty(), "{:?} {:?}", back.notes, back.wanted);
    // Its title is that of nothing in these formats.
    design.title = String::new();
    assert_eq!(write(&back.design), write(&design));
}

#[test]
fn mistakes_are_told_with_their_lines() {
    for (text, line, words) in [
        ("participants: {}\n", 1, "first line"),
        ("flowglass: design/1\nparticipants:\n  a:\n    layr: system\n", 4, "has no `layr`"),
        ("flowglass: design/1\nparticipants:\n  a:\n    layer: middle\n", 4, "none of backend"),
        ("flowglass: design/1\nparticipants:\n  a:\n    calls:\n      b: []\n", 5, "`b` is called"),
        ("flowglass: design/1\nparticipants:\n  a: {}\n  a: {}\n", 4, "twice"),
        ("flowglass: design/1\nkept:\n  - kind: not-seen\n", 3, "needs its `subject`"),
    ] {
        let problem = read(text).unwrap_err();
        assert!(problem.message.contains(words) && problem.line == line, "{text}: {problem}");
    }
}

#[test]
fn several_asyncapi_files_meet_at_their_channels() {
    let two = "asyncapi: 2.6.0\ninfo: { title: Shop }\nservers: { a: { url: x, protocol: nats } }\nchannels:\n  orders.placed:\n    subscribe:\n      message:\n        $ref: 'common.yaml#/messages/Placed'\n  stock.low:\n    publish: { message: { oneOf: [ { name: A, payload: true }, { name: B, schemaFormat: application/vnd.apache.avro, payload: {} } ] } }\n";
    let three = "asyncapi: 3.0.0\ninfo: { title: Mail }\nchannels:\n  placed: { address: orders.placed, messages: {} }\noperations:\n  got: { action: receive, channel: { $ref: '#/channels/placed' } }\n";
    let read = imported(&[("specs/shop.yaml", two), ("specs/mail.yaml", three)]);
    assert_eq!(read.wanted.iter().collect::<Vec<_>>(), ["specs/common.yaml"]);
    let common = "messages:\n  Placed: { name: OrderPlaced, payload: { $ref: '#/schemas/Tree' } }\nschemas:\n  Tree: { type: object, properties: { child: { $ref: '#/schemas/Tree' } } }\n";
    let mut files = vec![file("specs/shop.yaml", two), file("specs/mail.yaml", three)];
    files.push(File { referred: true, ..file("specs/common.yaml", common) });
    let read = import(&files).unwrap();
    let design = &read.design;
    assert!(read.wanted.is_empty());
    let (shop, mail) = (&design.participants["Shop"], &design.participants["Mail"]);
    // In version 2 an application consumes what stands under `publish`.
    assert!(shop.publishes.contains("orders.placed") && shop.consumes.contains("stock.low"));
    assert!(mail.consumes.contains("orders.placed") && mail.publishes.is_empty());
    assert_eq!(design.channels["orders.placed"].system.as_deref(), Some("nats"));
    let schema = design.channels["orders.placed"].messages["OrderPlaced"].schema.as_ref().unwrap();
    assert_eq!(schema["properties"]["child"]["$ref"], "#/$defs/Tree", "a circle survives: {schema}");
    assert!(read.notes.iter().any(|(_, note)| note.contains("avro")), "{:?}", read.notes);
}

#[test]
fn openapi_says_what_is_offered() {
    let text = "openapi: 3.2.0\ninfo: { title: Orders, x-flowglass: { participant: order-prc-api, layer: process } }\nservers: [ { url: 'https://{env}.example/v1', variables: { env: { default: prod } } } ]\npaths:\n  /orders/{id}:\n    get: { summary: One order }\n    query: {}\n    additionalOperations: { COPY: {} }\n  /health: { $ref: '#/components/pathItems/Health' }\ncomponents: { pathItems: { Health: { get: {} } } }\nwebhooks: { done: { post: {} } }\n";
    let read = imported(&[("o.yaml", text)]);
    let p = &read.design.participants["order-prc-api"];
    let operations: Vec<&str> = p.operations.keys().map(String::as_str).collect();
    assert_eq!(operations, ["COPY /orders/{id}", "GET /health", "GET /orders/{id}", "QUERY /orders/{id}"]);
    assert_eq!(p.servers.iter().collect::<Vec<_>>(), ["https://prod.example/v1"]);
    assert!(read.notes.iter().any(|(_, note)| note.contains("webhooks")));
    for (text, words) in [("swagger: '2.0'\n", "OpenAPI 3 first"), ("openapi: 4.0.0\n", "3.0 to 3.2")] {
        assert!(imported(&[("a.yaml", text)]).notes[0].1.contains(words));
    }
    assert!(imported(&[("a.raml", "#%RAML 1.0")]).notes[0].1.contains("OpenAPI 3 first"));
}

#[test]
fn references_that_lead_in_circles_end() {
    let text =
        "openapi: 3.1.0\ninfo: { title: A }\npaths:\n  /a: { $ref: '#/paths/~1b' }\n  /b: { $ref: '#/paths/~1a' }\n";
    let read = imported(&[("a.yaml", text)]);
    assert!(read.design.participants["A"].operations.is_empty());
    assert!(!read.notes.is_empty());
}

#[test]
fn catalogs_say_who_calls_whom() {
    let backstage = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: web, tags: [experience] }\nspec: { type: service, owner: group:default/shop, system: store, consumesApis: [orders-api], dependsOn: ['resource:db', 'component:mail'] }\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: orders }\nspec: { type: service, owner: shop, providesApis: [default/orders-api] }\n---\napiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: { name: orders-api }\nspec:\n  type: openapi\n  definition: |\n    openapi: 3.0.0\n    info: { title: Something else }\n    paths: { /orders: { post: {} } }\n---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: { name: db }\nspec: { type: postgresql, owner: shop }\n---\napiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: { name: store }\nspec: { owner: shop, domain: sales }\n";
    let design = imported(&[("catalog-info.yaml", backstage)]).design;
    let web = &design.participants["web"];
    assert_eq!(web.calls.keys().collect::<Vec<_>>(), ["mail", "orders"]);
    assert!(web.uses.contains("db"));
    assert_eq!((web.owner.as_deref(), web.domain.as_deref()), (Some("shop"), Some("sales")));
    assert!(design.participants["orders"].operations.contains_key("POST /orders"), "whose definition is known");
    assert_eq!(design.participants["db"].system.as_deref(), Some("postgresql"));
    let page = |front: &str| format!("---\n{front}\n---\n\n# Words\n");
    let design = import(&[
        file("c/domains/Sales/index.mdx", &page("id: sales\nversion: 1.0.0")),
        file("c/domains/Sales/services/Order/index.mdx", &page("id: order\nsends: [ { id: placed, to: [ { id: bus } ] } ]\nreceives: [ { id: place } ]\nwritesTo: [ { id: db } ]")),
        file("c/domains/Sales/services/Order/versioned/0.1.0/index.mdx", &page("id: order\nsends: [ { id: old } ]")),
        file("c/domains/Sales/services/Web/index.mdx", &page("id: web\nsends: [ { id: place } ]\nreceives: [ { id: placed, from: [ { id: bus } ] } ]")),
        file("c/domains/Sales/services/Order/commands/Place/index.mdx", &page("id: place\noperation: { method: POST, path: /orders }")),
        file("c/domains/Sales/services/Order/events/Placed/index.mdx", &page("id: placed\nschemaPath: schema.json")),
        file("c/domains/Sales/services/Order/events/Placed/schema.json", "{\"type\":\"object\"}"),
        file("c/channels/bus/index.mdx", &page("id: bus\naddress: orders.placed\nprotocols: [nats]")),
    ])
    .unwrap()
    .design;
    let (order, web) = (&design.participants["order"], &design.participants["web"]);
    assert_eq!(order.publishes.iter().collect::<Vec<_>>(), ["orders.placed"]);
    assert_eq!(order.domain.as_deref(), Some("sales"));
    assert!(order.operations.contains_key("POST /orders") && order.uses.contains("db"));
    assert!(web.calls["order"].contains("POST /orders") && web.consumes.contains("orders.placed"));
    assert!(design.channels["orders.placed"].messages["placed"].schema.is_some());
    assert_eq!(design.channels.len(), 1, "{:?}", design.channels.keys());
}

#[test]
fn the_schema_takes_what_is_written() {
    let schema = serde_json::from_str(flowglass_design::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&value_of(&write(&read(WHOLE).unwrap())).unwrap()));
    assert!(validator.is_valid(&serde_json::json!({ "flowglass": "design/1" })));
    assert!(
        !validator.is_valid(&serde_json::json!({ "flowglass": "design/1", "participants": { "a": { "layr": 1 } } }))
    );
    assert_eq!(read(&write(&Design::default())).unwrap(), Design::default());
}
