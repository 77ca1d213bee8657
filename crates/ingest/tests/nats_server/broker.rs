//! Servers to look at, and what a test does with them as their owner.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use async_nats::jetstream::{self, Context};
use futures::{StreamExt as _, TryStreamExt as _};

/// Makes every scenario a test against both servers.
macro_rules! on_both_servers {
    ($($scenario:ident),+ $(,)?) => {
        mod debian {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() { super::$scenario(&$crate::broker::debian()).await; })+
        }
        mod current {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() { super::$scenario(&$crate::broker::current()).await; })+
        }
    };
}
pub(crate) use on_both_servers;

/// The server of the operating system: `NATS_SERVER`, or the one on the search path.
pub(crate) fn debian() -> PathBuf {
    std::env::var_os("NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from)
}

/// A current server: `NATS_SERVER_CURRENT`, or the one that `cargo xtask setup` installs beside the SDKs.
pub(crate) fn current() -> PathBuf {
    if let Some(binary) = std::env::var_os("NATS_SERVER_CURRENT") {
        return binary.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sdks = std::env::var_os("FLOWGLASS_SDKS").map_or_else(|| root.join("target/sdk"), PathBuf::from);
    sdks.join("venv/bin/nats-server")
}

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server with JetStream in a folder, on a free port.
    pub(crate) async fn start(binary: &Path, folder: &Path) -> Server {
        Server::on_port(binary, folder, None).await
    }

    /// The same on a given port.
    pub(crate) async fn on_port(binary: &Path, folder: &Path, port: Option<u16>) -> Server {
        Server::configured(binary, folder, port, &jetstream("")).await
    }

    /// Starts a server with these lines of configuration besides its port.
    pub(crate) async fn configured(binary: &Path, folder: &Path, port: Option<u16>, lines: &str) -> Server {
        let ports = folder.join("ports");
        std::fs::create_dir_all(&ports).unwrap();
        let (config, log) = (folder.join("server.conf"), folder.join("server.log"));
        let lines = lines.replace("{folder}", &folder.display().to_string());
        std::fs::write(&config, lines).unwrap();
        let child = Command::new(binary)
            .args(["-a", "127.0.0.1", "-p", &port.map_or("-1".to_owned(), |p| p.to_string())])
            .args(["--ports_file_dir".as_ref(), ports.as_os_str(), "-l".as_ref(), log.as_os_str()])
            .args(["-c".as_ref(), config.as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "{} cannot be started ({e}): `cargo xtask setup` installs both servers; or name them in NATS_SERVER and \
                     NATS_SERVER_CURRENT",
                    binary.display()
                )
            });
        let file = ports.join(format!("nats-server_{}.ports", child.id()));
        let mut server = Server { child, port: 0, folder: folder.to_owned() };
        let deadline = Instant::now() + Duration::from_secs(30);
        server.port = loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let url = json["nats"][0].as_str().or(json["tls"][0].as_str());
            if let Some(port) = url.and_then(|u| u.rsplit(':').next()?.parse().ok()) {
                break port;
            }
            if Instant::now() > deadline || server.child.try_wait().unwrap().is_some() {
                panic!("nats-server did not start: {}", server.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        server
    }

    /// What the server wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// JetStream as its owner uses it.
    pub(crate) async fn owner(&self, options: ConnectOptions) -> Context {
        let mut options = options;
        options = options.connection_timeout(Duration::from_secs(10));
        match options.connect(self.url()).await {
            Ok(client) => jetstream::new(client),
            Err(e) => panic!("{e}: {}", self.log()),
        }
    }
}

/// The configuration of JetStream in the server's folder; `more` stands in its block.
pub(crate) fn jetstream(more: &str) -> String {
    format!("jetstream {{\n  store_dir: \"{{folder}}\"\n  {more}\n}}\n")
}

/// Makes a stream for `name.>` in lower case.
pub(crate) async fn stream(js: &Context, name: &str, retention: RetentionPolicy, direct: bool) {
    let subjects = vec![format!("{}.>", name.to_lowercase())];
    let config = Config { name: name.into(), subjects, retention, allow_direct: direct, ..Config::default() };
    js.create_stream(config).await.unwrap();
}

/// Makes a consumer; `max_deliver` 0 is no bound.
pub(crate) async fn consumer(js: &Context, stream: &str, name: &str, max_deliver: i64) {
    let config = pull::Config {
        durable_name: Some(name.into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(60),
        max_deliver,
        ..pull::Config::default()
    };
    js.get_stream(stream).await.unwrap().create_consumer(config).await.unwrap();
}

/// Publishes messages `<subject>-0`, … in this order and waits until they are stored.
pub(crate) async fn publish(js: &Context, subject: &str, count: usize) {
    let mut stored = Vec::with_capacity(count);
    for i in 0..count {
        stored.push(js.publish(subject.to_owned(), format!("{subject}-{i}").into()).await.unwrap());
    }
    for answer in stored {
        answer.await.unwrap();
    }
}

/// Everything that looking must not change: messages, consumers, acknowledgement floors.
pub(crate) async fn fingerprint(js: &Context) -> Vec<String> {
    let mut all = Vec::new();
    let mut names: Vec<String> = js.stream_names().try_collect().await.unwrap();
    names.sort();
    for name in names {
        let stream = js.get_stream(&name).await.unwrap();
        let state = stream.get_info().await.unwrap().state;
        all.push(format!(
            "{name} {} {} {} {}",
            state.messages, state.first_sequence, state.last_sequence, state.consumer_count
        ));
        let mut consumers = stream.consumers();
        while let Some(info) = consumers.next().await {
            let info = info.unwrap();
            all.push(format!(
                "{name} {} delivered {} acked {} {} pending {} {} redelivered {} waiting {}",
                info.name,
                info.delivered.consumer_sequence,
                info.ack_floor.stream_sequence,
                info.ack_floor.consumer_sequence,
                info.num_pending,
                info.num_ack_pending,
                info.num_redelivered,
                info.num_waiting,
            ));
        }
    }
    assert!(!all.is_empty(), "there is nothing that could change");
    all
}
