//! HTTP/2, frame by frame (RFC 9113, 4.1): what a library would not send.

use std::time::Duration;

use flowglass_listen::{Limits, PREFACE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Server;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// RFC 9113, 7.
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

/// `POST /v1/traces` to `x` over http (RFC 7541: static table, literals without Huffman coding).
fn head() -> Vec<u8> {
    [&[0x83, 0x86, 0x04, 10][..], b"/v1/traces", &[0x01, 1], b"x"].concat()
}

async fn opened(server: &Server) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(&[PREFACE.as_slice(), &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    stream
}

/// Frames until the connection ends or goes away; the error it went away with.
async fn farewell(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<u32> {
    let read = async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut content = vec![0; length as usize];
            stream.read_exact(&mut content).await.ok()?;
            if head[3] == GOAWAY {
                return Some(u32::from_be_bytes([content[4], content[5], content[6], content[7]]));
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.expect("it says something or ends")
}

/// CVE-2023-44487: streams that are begun and taken back cost the server work and the client nothing.
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let server = Server::within(Limits::default()).await;
    let mut stream = opened(&server).await;
    let mut flood = Vec::new();
    for n in 0..20_000 {
        let id = 2 * n + 1;
        flood.extend(frame(HEADERS, END_HEADERS, id, &head()));
        flood.extend(frame(RST_STREAM, 0, id, &8u32.to_be_bytes()));
    }
    let (mut reading, mut writing) = stream.split();
    let write = async {
        // The other side may end it in the middle.
        let _ = writing.write_all(&flood).await;
    };
    let (error, ()) = tokio::join!(farewell(&mut reading), write);
    assert!(error.is_none() || error == Some(ENHANCE_YOUR_CALM), "{error:?}");
    server.still_takes().await;
    assert_eq!(server.spans(), 1);
}

/// CVE-2024-27316: headers that never end.
#[tokio::test]
async fn endless_headers_end_the_connection() {
    let server = Server::within(Limits::default()).await;
    let mut stream = opened(&server).await;
    let (mut reading, mut writing) = stream.split();
    // A literal header of some 16 kB, again and again: 64 MB if nobody objects.
    let field = [&[0x00, 1, b'a', 0x7f, 0x81, 0x7c][..], &[b'b'; 16_000]].concat();
    let mut sent = 0;
    let write = async {
        let _ = writing.write_all(&frame(HEADERS, 0, 1, &head())).await;
        for _ in 0..4_000 {
            if writing.write_all(&frame(CONTINUATION, 0, 1, &field)).await.is_err() {
                break;
            }
            sent += field.len();
        }
        let _ = writing.shutdown().await;
    };
    let (error, ()) = tokio::join!(farewell(&mut reading), write);
    assert!(error.is_some() || sent < 64_000_000, "{sent} bytes of headers were read");
    server.still_takes().await;
}

/// Streams beyond what was offered, and frames that make no sense.
#[tokio::test]
async fn nonsense_ends_the_connection() {
    let server = Server::within(Limits::default()).await;
    let nonsense = [
        frame(HEADERS, END_HEADERS, 0, &head()),
        frame(HEADERS, END_HEADERS, 2, &head()),
        frame(CONTINUATION, END_HEADERS, 1, &head()),
        frame(SETTINGS, 0, 0, &[0; 5]),
        frame(8, 0, 0, &0u32.to_be_bytes()),
        frame(HEADERS, END_HEADERS, 1, &[0xff; 40]),
        [[0xff; 3].as_slice(), &[0; 6]].concat(),
    ];
    for wrong in nonsense {
        let mut stream = opened(&server).await;
        stream.write_all(&wrong).await.unwrap();
        let error = farewell(&mut stream).await;
        assert_ne!(error, Some(0), "{wrong:?}");
    }
    server.still_takes().await;
}
