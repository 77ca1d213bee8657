//! More than can be stored: what is lost is counted, exactly.

use std::path::Path;

use flowglass_ingest::nats::NatsConfig;
use flowglass_ingest::secrets::Secrets;

use crate::broker::{Server, on_both_servers};
use crate::look::{look_with, until};

on_both_servers!(what_does_not_fit_is_counted);

async fn what_does_not_fit_is_counted(binary: &Path) {
    const SENT: usize = 40_000;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::configured(binary, folder.path(), None, "").await;
    let config = NatsConfig { subjects: vec!["load.>".to_owned()], ..NatsConfig::new(server.url()) };
    let looking = look_with(config, Secrets::given([].into()), false);
    looking.connected().await;
    let sender = async_nats::connect(server.url()).await.unwrap();
    for i in 0..SENT {
        sender.publish("load.a", i.to_string().into()).await.unwrap();
    }
    sender.flush().await.unwrap();
    // Nothing is stored: some wait, the rest is lost.
    until("losses", || (looking.status().counts.dropped > 0).then_some(())).await;
    looking.stores.send_replace(true);
    until("everything", || {
        let counts = looking.status().counts;
        (counts.publications + counts.dropped >= SENT as u64).then_some(())
    })
    .await;
    let status = looking.status.clone();
    let batch = looking.end().await;
    let counts = status.borrow().counts;
    assert!(counts.dropped > 0, "{counts:?}");
    assert_eq!(batch.dropped, counts.dropped, "the workspace hears of every loss");
    assert_eq!(batch.messages.len() as u64 + batch.dropped, SENT as u64);
}
