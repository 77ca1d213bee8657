use flowglass_studio::api::{Alert, Update};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::support::{Scene, ago, failed_call, wait_for};

async fn alert(updates: &mut Receiver<Update>) -> Alert {
    let wanted = |update| match update {
        Update::Alert { alert } => Some(alert),
        _ => None,
    };
    wait_for(updates, wanted).await.expect("an alert")
}

#[tokio::test]
async fn only_a_kind_of_failure_that_is_new_is_told() {
    // A workspace that knows one kind of failure.
    let scene = Scene::new().await;
    assert_eq!(scene.send(failed_call("pay", 1, ago(3600), "card 4711 refused", &[])).await, 200);
    let scene = Scene::on(scene.end().await).await;
    let mut updates = scene.host.updates();

    // The same with another figure, an old one of another kind, an imported one: all known or history.
    assert_eq!(scene.send(failed_call("pay", 2, ago(2), "card 4712 refused", &[])).await, 200);
    assert_eq!(scene.send(failed_call("old", 3, ago(7200), "gone", &[])).await, 200);
    scene.ask("import_text", json!({ "text": failed_call("imported", 4, ago(86_400), "gone", &[]) })).await;
    // A new one.
    assert_eq!(scene.send(failed_call("stock", 5, ago(1), "no shelf", &[])).await, 200);
    let told = alert(&mut updates).await;
    assert_eq!(told.title, "New kind of failure in stock");
    assert!(told.detail.as_deref().is_some_and(|d| d.contains("POST /charge returned 500: no shelf")), "{told:?}");
    assert_eq!((told.kind.as_str(), told.journey.as_deref()), ("failure", Some(format!("{:032x}", 5).as_str())));

    // Two more soon after are one message, once the pause is over.
    assert_eq!(scene.send(failed_call("desk", 6, ago(1), "no chair", &[])).await, 200);
    assert_eq!(scene.send(failed_call("lamp", 7, ago(1), "no bulb", &[])).await, 200);
    let told = alert(&mut updates).await;
    assert_eq!((told.id, told.title.as_str()), (2, "2 new kinds of failure"));
    scene.end().await;
}
