//! Without room on the disk senders are told to try again, and people are told why.

use flowglass_studio::api::Update;

use crate::support::{Scene, ago, failed_call, wait_for};

#[tokio::test]
async fn without_room_nothing_is_taken_and_everybody_is_told() {
    // More than any disk has.
    let scene = Scene::keeping_free(tempfile::tempdir().unwrap(), u64::MAX).await;
    let mut updates = scene.host.updates();
    assert_eq!(scene.send(failed_call("pay", 1, ago(10), "no", &[])).await, 503);
    let wanted = |update| match update {
        Update::Counters { state, problem, .. } => problem.map(|problem| (state, problem)),
        _ => None,
    };
    let (state, problem) = wait_for(&mut updates, wanted).await.expect("a problem");
    assert!(state == "warning" && problem.contains("kept free") && problem.contains("first.flowglass"), "{problem}");
    // Room again: the same is taken.
    let scene = Scene::on(scene.end().await).await;
    assert_eq!(scene.send(failed_call("pay", 1, ago(10), "no", &[])).await, 200);
    scene.end().await;
}
