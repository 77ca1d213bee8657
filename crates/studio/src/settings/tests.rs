use flowglass_model::{Age, Alias, Layer, LayerPattern, Owner, RedactionRule, RetentionConfig, Size, default_noise};

use super::*;

/// Applies a change to a text, as shown from `base`, with what the file says now.
fn changed(base: &str, now: &str, change: &Change) -> String {
    let mut document: DocumentMut = now.parse().unwrap();
    change.apply(&mut document, &parse(base).unwrap(), &parse(now).unwrap());
    let text = document.to_string();
    parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    text
}

fn owner(name: &str, owner: &str) -> Owner {
    Owner { match_name: name.into(), owner: owner.into(), contact: None, runbook: None }
}

fn texts(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|w| (*w).to_owned()).collect())
}

const COMMENTED: &str = r##"# our shop

# keys
business_keys = ["a", "b"] # both

noise = [
  "GET */health", # k8s
  # the scraper
  "GET */metrics", # prometheus
]

# by hand
[layers]
"z" = "system" # last
# the old one
"a-service" = "experience"

# teams
[[owners]]
match_name = "pay-*" # money
owner = "Payments"
contact = "#pay"

# second
[[owners]]
owner = "Orders"
match_name = "order-*"

[domains]
x = "X"
# the end
"##;

#[test]
fn the_template_is_valid_and_changes_nothing() {
    assert_eq!(parse(template::TEMPLATE), Ok(Config::default()));
}

#[test]
fn every_example_of_the_template_is_valid() {
    let text: String = template::TEMPLATE
        .lines()
        .filter(|l| *l != "business_keys = []" && *l != "[layers]" && *l != "[domains]")
        .map(|l| match l.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || (rest.contains(" = ") && !rest.starts_with('"')) => {
                format!("{rest}\n")
            }
            _ => String::new(),
        })
        .collect();
    let config = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!((config.business_keys.len(), config.noise.len(), config.layer_patterns.len()), (2, 3, 1));
    assert_eq!((config.aliases.len(), config.owners.len(), config.redaction.len()), (1, 1, 1));
}

#[test]
fn what_is_not_changed_stays_byte_for_byte() {
    let config = parse(COMMENTED).unwrap();
    let same = Change {
        layers: Some(config.layers.clone().into_iter().collect()),
        domains: Some(config.domains.clone().into_iter().collect()),
        owners: Some(config.owners.clone()),
        business_keys: Some(config.business_keys.clone()),
        noise: Some(config.noise.clone()),
        ..Change::default()
    };
    assert_eq!(changed(COMMENTED, COMMENTED, &same), COMMENTED);
}

#[test]
fn changes_touch_only_their_lines() {
    let mut owners = parse(COMMENTED).unwrap().owners;
    owners[0].owner = "Money".into();
    owners.push(Owner { contact: Some("#x".into()), ..owner("x", "X") });
    let change = Change {
        layers: Some(vec![("z".into(), Layer::Process), ("new".into(), Layer::Event)]),
        domains: Some(vec![("x".into(), "X".into()), ("y y".into(), "Y".into())]),
        owners: Some(owners),
        business_keys: texts(&["b", "c"]),
        noise: texts(&["GET */metrics", "GET */ping"]),
        ..Change::default()
    };
    let want = r##"# our shop

# keys
business_keys = ["b", "c"] # both

noise = [
  # the scraper
  "GET */metrics", # prometheus
  "GET */ping",
]

# by hand
[layers]
"z" = "process" # last
new = "event"

# teams
[[owners]]
match_name = "pay-*" # money
owner = "Money"
contact = "#pay"

# second
[[owners]]
owner = "Orders"
match_name = "order-*"

[[owners]]
match_name = "x"
owner = "X"
contact = "#x"

[domains]
x = "X"
"y y" = "Y"
# the end
"##;
    assert_eq!(changed(COMMENTED, COMMENTED, &change), want);
}

#[test]
fn rows_can_go_and_change_places() {
    let change = Change { owners: Some(vec![owner("order-*", "Orders")]), ..Change::default() };
    let text = changed(COMMENTED, COMMENTED, &change);
    assert!(text.contains("# teams") && text.contains("# second\n[[owners]]\nowner = \"Orders\"\n"), "{text}");
    let all = parse(COMMENTED).unwrap().owners;
    let text = changed(
        COMMENTED,
        COMMENTED,
        &Change { owners: Some(vec![all[1].clone(), all[0].clone()]), ..Change::default() },
    );
    assert!(
        text.find("Orders") < text.find("Payments") && text.contains("# second\n[[owners]]\nowner = \"Orders\""),
        "{text}"
    );
    assert_eq!(parse(&text).unwrap().owners, [all[1].clone(), all[0].clone()]);
    let text = changed(COMMENTED, COMMENTED, &Change { owners: Some(Vec::new()), ..Change::default() });
    assert!(text.contains("# teams") && !text.contains("[[owners]]"), "{text}");
}

#[test]
fn lists_begin_below_the_heading_and_built_in_ones_are_not_written() {
    let text = changed(
        "",
        "# head\n\n# hand\n[layers]\n",
        &Change { noise: texts(&["GET /x", "GET /y"]), ..Change::default() },
    );
    assert_eq!(text, "# head\n\nnoise = [\n    \"GET /x\",\n    \"GET /y\",\n]\n\n# hand\n[layers]\n");
    assert_eq!(parse(&text).unwrap().noise, ["GET /x", "GET /y"]);
    let text = changed(&text, &text, &Change { noise: Some(default_noise()), ..Change::default() });
    assert!(!text.contains("noise") && text.contains("# head") && text.contains("# hand\n[layers]"), "{text}");
    let text = changed("", "", &Change { noise: Some(Vec::new()), ..Change::default() });
    assert_eq!(parse(&text).unwrap().noise, Vec::<String>::new());
    let patterns = Some(vec![LayerPattern { pattern: "-gw".into(), layer: Layer::Experience }]);
    let own = changed("", template::TEMPLATE, &Change { patterns, ..Change::default() });
    assert!(own.contains("[[layer_patterns]]\npattern = \"-gw\"\nlayer = \"experience\"\n"), "{own}");
    let none = Change { patterns: Some(Vec::new()), ..Change::default() };
    assert!(parse(&changed(&own, &own, &none)).unwrap().layer_patterns.is_empty());
}

#[test]
fn rows_written_in_one_line_are_read_and_kept() {
    let now = "aliases = [{ from = \"a\", to = \"b\" }]\nlayers = { x = \"system\" }\n";
    let aliases = Some(vec![Alias { from: "a".into(), to: "b".into() }, Alias { from: "c".into(), to: "d".into() }]);
    let layers = Some(vec![("x".into(), Layer::System), ("y".into(), Layer::Process)]);
    let config = parse(&changed(now, now, &Change { aliases, layers, ..Change::default() })).unwrap();
    assert_eq!((config.aliases.len(), config.layers.len()), (2, 2));
}

#[test]
fn a_change_made_elsewhere_meanwhile_stays() {
    let shown = "[[redaction]]\nkey = \"iban\"\n";
    let now = "# theirs\n[[redaction]]\nkey = \"iban\"\n\n[[redaction]]\nkey = \"phone\"\n";
    let redaction = Some(["iban", "mail"].map(|k| RedactionRule { key: k.into() }).to_vec());
    let text = changed(shown, now, &Change { redaction, ..Change::default() });
    let keys: Vec<_> = parse(&text).unwrap().redaction.into_iter().map(|r| r.key).collect();
    assert_eq!(keys, ["iban", "mail", "phone"]);
    assert!(text.starts_with("# theirs\n"), "{text}");
}

#[test]
fn many_participants_at_once() {
    let now =
        parse("[domains]\na = \"Old\"\n[[owners]]\nmatch_name = \"pay-*\"\nowner = \"Pay\"\ncontact = \"#pay\"\n")
            .unwrap();
    let ids = ["a".to_owned(), "b".to_owned()];
    let change = Change::participants(&now, &ids, Some(Some(Layer::System)), Some(None), Some(Some("Pay".into())));
    let mut document = DocumentMut::new();
    change.apply(&mut document, &now, &now);
    let config = parse(&document.to_string()).unwrap();
    assert_eq!((config.layers.len(), config.domains.len(), config.owners.len()), (2, 0, 3));
    assert!(config.owners.iter().all(|o| o.contact.as_deref() == Some("#pay")), "{:?}", config.owners);
    let cleared = Change::participants(&config, &ids, None, None, Some(None));
    assert_eq!(cleared.owners.map(|o| o.len()), Some(1));
}

#[test]
fn a_broken_file_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    let broken = "[layers]\na = \"nowhere\"\n";
    std::fs::write(&path, broken).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("shop.toml: line 2, column 5: unknown variant `nowhere`"), "{error}");
    assert!(edit(&path, |_, _| ()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
    assert!(read(&dir.path().join("none.toml")).unwrap().is_none());
    assert_eq!(parse("[layers\n").unwrap_err().split(':').next(), Some("line 1, column 8"));
}

#[test]
fn an_edit_that_meets_another_writer_is_done_again_on_what_they_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    std::fs::write(&path, "[layers]\n").unwrap();
    let first = std::cell::Cell::new(true);
    let (text, config) = edit(&path, |document, now| {
        if first.replace(false) {
            std::fs::write(&path, "# theirs\n[layers]\nb = \"system\"\n").unwrap();
        }
        Change::participants(now, &["a".to_owned()], Some(Some(Layer::Process)), None, None).apply(document, now, now);
    })
    .unwrap();
    assert_eq!(text, "# theirs\n[layers]\nb = \"system\"\na = \"process\"\n");
    assert_eq!((config.layers.len(), std::fs::read_to_string(&path).unwrap()), (2, text));
}

#[test]
fn what_is_kept_is_edited_in_place_and_errors_say_where() {
    let old = "[retention]\n# our disk is small\nsize = \"5 GB\" # of 8\nage = \"7 days\"\n";
    let mine = |change: &dyn Fn(&mut RetentionConfig)| {
        let mut retention = parse(old).unwrap().retention;
        change(&mut retention);
        Change { retention: Some(retention), ..Change::default() }
    };
    let grown = mine(&|r| r.size = Size(Some(6_000_000_000)));
    assert_eq!(changed(old, old, &grown), old.replace("5 GB", "6 GB"));
    let counted = mine(&|r| (r.age, r.journeys) = (None, Some(1000)));
    assert_eq!(changed(old, old, &counted), old.replace("age = \"7 days\"\n", "journeys = 1000\n"));
    // What somebody else wrote meanwhile stays.
    let theirs = old.replace("7 days", "9 days");
    assert_eq!(changed(old, &theirs, &grown), theirs.replace("5 GB", "6 GB"));
    // Without a section there is one when it is needed.
    let fresh = Change {
        retention: Some(RetentionConfig { logs_age: Some(Age(86_400_000_000_000)), ..RetentionConfig::default() }),
        ..Change::default()
    };
    assert_eq!(parse(&changed("", "", &fresh)).unwrap().retention.logs_age, Some(Age(86_400_000_000_000)));
    assert_eq!(changed("", "", &Change { retention: Some(RetentionConfig::default()), ..Change::default() }), "");

    for (text, at, why) in [
        ("[retention]\nsize = \"20 XB\"\n", "line 2, column 8", "`20 XB` is no size"),
        ("\n[retention]\n\nage = \"soon\"\n", "line 4, column 7", "`soon` is no age"),
        ("[retention]\nage = \"9 days\"\nfailed_age = \"2 days\"\n", "line 3, column", "before healthy ones"),
        ("[retention]\njourneys = 0\n", "line 2, column", "no journey would be kept"),
        ("[retention]\nsizes = 3\n", "line 2, column 1", "unknown field"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(at) && error.contains(why), "{error}");
    }
}
