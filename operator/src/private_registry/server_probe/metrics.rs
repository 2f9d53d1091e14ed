//! The metrics of one pod, read over HTTP.

use std::{net::SocketAddr, time::Duration};

use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long a pod may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of metrics that are read.
const LONGEST: usize = 1 << 20;

/// What is behind `address`; nothing, when nobody answers in time.
pub async fn read(address: SocketAddr) -> Option<String> {
    tokio::time::timeout(PATIENCE, get(address)).await.ok()?
}

async fn get(address: SocketAddr) -> Option<String> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = Request::get("/metrics").header(header::HOST, "admin").body(Empty::<Bytes>::new()).ok()?;
    let answer = sender.send_request(request).await.ok()?;
    let body = Limited::new(answer.into_body(), LONGEST).collect().await.ok()?;
    String::from_utf8(body.to_bytes().to_vec()).ok()
}

/// The value of one series, whose name carries its labels.
pub fn value(metrics: &str, series: &str) -> Option<f64> {
    let named = |line: &&str| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' '));
    metrics.lines().find(named)?.rsplit(' ').next()?.parse().ok()
}
