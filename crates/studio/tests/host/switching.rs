use flowglass_studio::api::Update;
use flowglass_studio::store::{Access, Writer};
use serde_json::json;

use crate::support::{Scene, ago, failed_call, wait_for};

#[tokio::test]
async fn another_workspace_takes_the_place_of_this_one_and_back() {
    let scene = Scene::new().await;
    assert_eq!(scene.send(failed_call("pay", 1, ago(5), "no", &[])).await, 200);
    let address = scene.http();
    let mut updates = scene.host.updates();

    scene.ask("workspace_open", json!({ "path": "Orders staging", "create": true })).await;
    wait_for(&mut updates, |u| (u == Update::Workspace {}).then_some(())).await.expect("told");
    let file = scene.path("data/workspaces/Orders staging.flowglass");
    assert!(file.is_file());
    let app = scene.ask("app", json!({})).await;
    assert_eq!((app["workspaceName"].as_str(), app["empty"].as_bool()), (Some("Orders staging"), Some(true)));

    // The same stream of updates and the same listener go on: senders notice nothing.
    assert_eq!(scene.http(), address);
    assert_eq!(scene.send(failed_call("pay", 2, ago(5), "no", &[])).await, 200);
    wait_for(&mut updates, |u| matches!(u, Update::Stored { spans: 1, .. }).then_some(())).await.expect("stored");

    let list = scene.ask("workspaces", json!({})).await;
    let recent = list["recent"].as_array().unwrap();
    let names: Vec<_> = recent.iter().map(|w| (w["name"].as_str().unwrap(), w["current"].as_bool().unwrap())).collect();
    assert_eq!(names, [("Orders staging", true), ("first", false)]);
    for workspace in recent {
        assert!(workspace["bytes"].as_u64().unwrap() > 0 && workspace["changedAt"].is_number(), "{workspace}");
        assert!(workspace["newestAt"].is_number(), "what was in it when it was left: {workspace}");
    }
    assert_eq!(list["folder"], json!(scene.path("data/workspaces")));

    // What was received before is in the first one, and only that.
    scene.ask("workspace_open", json!({ "path": scene.path("first.flowglass"), "create": false })).await;
    let stats = scene.host.studio().workspace().stats().unwrap();
    assert_eq!((stats.spans, scene.http()), (1, address));

    let left = scene.ask("workspace_forget", json!({ "path": file })).await;
    assert_eq!(left["recent"].as_array().unwrap().len(), 1);
    assert!(file.is_file(), "the file stays");
    scene.end().await;
}

#[tokio::test]
async fn what_cannot_be_opened_leaves_this_one_open() {
    let scene = Scene::new().await;
    let held = scene.path("held.flowglass");
    let writer = Writer::open(&held, Access::Create).unwrap();
    let newer = scene.path("newer.flowglass");
    drop(Writer::open(&newer, Access::Create).unwrap());
    // The format of the file is `PRAGMA user_version`: four bytes at offset 60 of the header.
    let mut bytes = std::fs::read(&newer).unwrap();
    bytes[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&newer, bytes).unwrap();
    let foreign = scene.path("letter.flowglass");
    std::fs::write(&foreign, "Dear Sir or Madam, this is a letter and no workspace, long enough to be looked at.").unwrap();
    let missing = scene.path("missing.flowglass");

    let mut updates = scene.host.updates();
    for (path, create, code, words) in [
        (held.to_str().unwrap(), false, "workspace-held", "already open for writing"),
        (newer.to_str().unwrap(), false, "workspace-newer", "newer Flowglass"),
        (foreign.to_str().unwrap(), false, "workspace-foreign", "not a Flowglass workspace"),
        (missing.to_str().unwrap(), false, "workspace-missing", "no workspace here"),
        (held.to_str().unwrap(), true, "bad-request", "already"),
        ("../escape", true, "bad-request", "no name"),
        ("  ", true, "bad-request", "name"),
    ] {
        let error = scene.refused("workspace_open", json!({ "path": path, "create": create })).await;
        assert_eq!(error.code, code, "{path}: {}", error.message);
        assert!(error.message.contains(words), "{path}: {}", error.message);
        assert_eq!(scene.send(failed_call("pay", 7, ago(5), "no", &[])).await, 200, "{path}: it goes on receiving");
    }
    assert!(!missing.exists(), "nothing is made by looking");
    assert_eq!(scene.host.studio().workspace().path(), scene.path("first.flowglass"));
    drop(writer);
    // Free again: it opens.
    scene.ask("workspace_open", json!({ "path": held, "create": false })).await;
    let told = wait_for(&mut updates, |u| matches!(u, Update::Workspace {}).then_some(())).await;
    assert_eq!(told, Some(()));
    scene.end().await;
}

#[tokio::test]
async fn a_start_that_fails_brings_the_old_one_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rules.toml");
    std::fs::write(&config, "[layers]\n").unwrap();
    let options = flowglass_studio::Options {
        otlp_grpc: None,
        otlp_http: None,
        config: Some(config.clone()),
        ..flowglass_studio::Options::new(folder.path().join("first.flowglass"))
    };
    let home = flowglass_studio::Home::new(folder.path().join("data"));
    let scene = Scene { host: flowglass_studio::Host::start(options, home).await.unwrap(), folder };
    scene.ask("workspace_open", json!({ "path": "second", "create": true })).await;
    // The first one needs its settings file, which is gone: that shows only when it starts.
    std::fs::remove_file(config).unwrap();
    let first = scene.path("first.flowglass");
    let error = scene.refused("workspace_open", json!({ "path": first, "create": false })).await;
    assert!(error.message.contains("rules.toml") && error.message.contains("“second” stays open"), "{}", error.message);
    let app = scene.ask("app", json!({})).await;
    assert_eq!(app["workspaceName"], "second");
    assert!(scene.host.studio().sink().is_some(), "it takes data again");
    scene.end().await;
}

#[tokio::test]
async fn preferences_are_kept_for_all_workspaces() {
    let scene = Scene::new().await;
    assert_eq!(scene.ask("preferences", json!({})).await, json!({ "notify": true, "keepReceiving": null }));
    let set = json!({ "notify": false, "keepReceiving": true });
    assert_eq!(scene.ask("set_preferences", set.clone()).await, set);
    scene.ask("workspace_open", json!({ "path": "other", "create": true })).await;
    assert_eq!(scene.ask("preferences", json!({})).await, set);
    let scene = Scene::on(scene.end().await).await;
    assert_eq!(scene.ask("preferences", json!({})).await, set);
    let recent = scene.ask("workspaces", json!({})).await["recent"].as_array().unwrap().len();
    assert_eq!(recent, 2);
    scene.end().await;
}
