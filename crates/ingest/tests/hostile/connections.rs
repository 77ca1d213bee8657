//! Connections that say nothing, too little, too slowly, or half of it.

use std::time::Duration;

use flowglass_listen::{Limits, handles};
use tokio::io::AsyncWriteExt as _;

use crate::support::{GOOD, Server, post, rest};

/// Long enough not to be met by chance on a busy machine.
const NEVER: Duration = Duration::from_secs(600);
/// Short: what is tested comes to this end.
const SOON: Duration = Duration::from_millis(100);

fn patient() -> Limits {
    Limits { first_byte: NEVER, head: NEVER, silence: NEVER, ..Limits::default() }
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let server = Server::within(Limits { head: SOON, ..patient() }).await;
    for begun in
        ["POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", "P", "PRI * HTTP/2", "POST /v1/traces HTTP/1.1\r\nX: "]
    {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{begun:?}: {answer}");
    }
    server.still_takes().await;
    assert!(server.silent().iter().any(|s| s.contains("never finished")), "{:?}", server.silent());
}

#[tokio::test]
async fn a_connection_without_a_byte_is_given_up() {
    let server = Server::within(Limits { first_byte: SOON, ..patient() }).await;
    assert_eq!(rest(&mut server.connect().await).await, "");
    server.still_takes().await;
}

#[tokio::test]
async fn a_body_that_stops_or_trickles_is_refused() {
    let server = Server::within(Limits { silence: SOON, ..patient() }).await;
    let mut stream = server.connect().await;
    let head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("stopped coming"), "{answer}");
    server.still_takes().await;

    // It is never silent, and never done.
    let server = Server::within(Limits { silence: Duration::from_millis(400), slowest: 1 << 20, ..patient() }).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let trickle = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while writing.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut reading, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too slowly"), "{answer}");
    trickle.abort();
    server.still_takes().await;
}

#[tokio::test]
async fn who_closed_his_side_after_asking_is_answered() {
    let server = Server::within(patient()).await;
    let mut stream = server.connect().await;
    stream.write_all(&post("/v1/traces", "application/json", "", GOOD.as_bytes())).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.spans(), 1);

    // And who closed it in the middle is let go, with nothing stored.
    let whole = post("/v1/traces", "application/json", "", GOOD.as_bytes());
    for half in [&whole[..20], &whole[..whole.len() - 5]] {
        let mut stream = server.connect().await;
        stream.write_all(half).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(server.spans(), 1);
    server.still_takes().await;
}

/// As many as the system lets one process have, both ends of them: 10,000 if it can be.
#[tokio::test]
async fn ten_thousand_silent_connections_keep_nobody_out() {
    // Fewer places where the system lets a process have few open files: there must be more connections than places.
    let most = patient().connections.min(handles() / 8);
    let limits = Limits { connections: most, ..patient() };
    let idle = 10_000.min(handles().saturating_sub(most + 500));
    if idle < 10_000 {
        eprintln!("this system allows {} open files: {idle} connections instead of 10,000", handles());
    }
    assert!(idle > 2 * most, "{idle} connections are too few to say anything");
    let server = Server::within(limits).await;
    let mut connections = Vec::with_capacity(idle);
    for _ in 0..idle {
        connections.push(server.connect().await);
    }
    server.still_takes().await;
    // Who came before had to make room, the oldest first.
    for closed in &mut connections[..idle - most] {
        assert_eq!(rest(closed).await, "");
    }
    assert!(server.silent().iter().any(|s| s.contains("make room")), "{:?}", server.silent());
    server.still_takes().await;
}

#[tokio::test]
async fn a_request_under_way_is_never_closed_to_make_room() {
    let server = Server::within(Limits { connections: 4, ..patient() }).await;
    let whole = post("/v1/traces", "application/json", "Connection: close\r\n", GOOD.as_bytes());
    let mut slow = server.connect().await;
    slow.write_all(&whole[..whole.len() - 5]).await.unwrap();
    // The first answer says that the slow one's request was begun before: connections are taken in their order.
    server.still_takes().await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(server.connect().await);
    }
    server.still_takes().await;
    slow.write_all(&whole[whole.len() - 5..]).await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let server = Server::within(patient()).await;
    let many: String = (0..10_000).map(|i| format!("X-{i}: 1\r\n")).collect();
    let large = format!("X: {}\r\n", "a".repeat(1 << 20));
    for flood in [many, large] {
        let answer = server.says(format!("POST /v1/traces HTTP/1.1\r\nHost: x\r\n{flood}\r\n").as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let path = "a".repeat(1 << 20);
    let answer = server.says(format!("POST /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 414") || answer.starts_with("HTTP/1.1 431"), "{answer}");
    // Two lengths, or a length and chunks: nobody may read one request as two (RFC 9112, 6.3).
    for two in ["Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked, x\r\n"]
    {
        let request =
            format!("POST /v1/traces HTTP/1.1\r\nHost: x\r\n{two}\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = server.says(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    }
    server.still_takes().await;
}
