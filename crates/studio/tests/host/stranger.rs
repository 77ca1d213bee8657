use flowglass_studio::store::{Access, Writer};
use serde_json::{Value, json};

use crate::support::Scene;

/// What a workspace says of other machines.
fn reaching(path: &std::path::Path) {
    let mut writer = Writer::open(path, Access::Create).unwrap();
    let mut tx = writer.begin().unwrap();
    tx.set_meta("forward", "http://192.0.2.1:4318").unwrap();
    tx.set_meta("listeners", r#"{"otlp-http":"0.0.0.0:4318"}"#).unwrap();
    tx.set_meta("config_path", "/etc/passwd").unwrap();
    tx.commit().unwrap();
}

fn said(scene: &Scene, key: &'static str) -> String {
    scene.host.studio().workspace().read(|r| r.meta(key)).unwrap().unwrap_or_default()
}

#[tokio::test]
async fn a_file_from_elsewhere_connects_to_nobody() {
    let scene = Scene::new().await;
    let gift = scene.path("gift.flowglass");
    reaching(&gift);
    scene.ask("workspace_open", json!({ "path": gift, "create": false })).await;
    assert_eq!((said(&scene, "forward"), said(&scene, "listeners")), (String::new(), "{}".to_owned()));
    let sources: Value = scene.ask("sources", json!({})).await;
    assert_eq!(sources["forward"], Value::Null, "{sources}");
    // What is chosen here is kept from now on, also when it is left and opened again.
    scene.ask("set_forward", json!({ "url": "http://127.0.0.1:9" })).await;
    scene.ask("workspace_open", json!({ "path": scene.path("first.flowglass"), "create": false })).await;
    scene.ask("workspace_open", json!({ "path": gift, "create": false })).await;
    assert_eq!(said(&scene, "forward"), "http://127.0.0.1:9");
    scene.end().await;
}
