//! Whether the registry reaches the Redis that was made for it. Only the registry knows: what is between them, such as a
//! NetworkPolicy of the user's, is not between the operator and either.

use std::{net::IpAddr, time::Duration};

use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a pod may take to say it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of metrics that are read.
const LONGEST: usize = 1 << 20;

/// What a pod behind the Service of probes and metrics says; nothing, when none can be asked.
pub async fn reached(admin: &Value) -> Option<bool> {
    let address: IpAddr = admin["spec"]["clusterIP"].as_str()?.parse().ok()?;
    let port = u16::try_from(admin["spec"]["ports"][0]["port"].as_i64()?).ok()?;
    up(&tokio::time::timeout(PATIENCE, metrics(address, port)).await.ok()??)
}

async fn metrics(address: IpAddr, port: u16) -> Option<String> {
    let stream = TcpStream::connect((address, port)).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = Request::get("/metrics").header(header::HOST, "admin").body(Empty::<Bytes>::new()).ok()?;
    let answer = sender.send_request(request).await.ok()?;
    let body = Limited::new(answer.into_body(), LONGEST).collect().await.ok()?;
    String::from_utf8(body.to_bytes().to_vec()).ok()
}

/// The gauge `redis_up`; nothing, while the registry had no reason to speak to Redis.
fn up(metrics: &str) -> Option<bool> {
    let value = metrics.lines().find_map(|line| line.strip_prefix("redis_up "))?;
    Some(value.trim().parse::<f64>().ok()? > 0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn said(body: &'static str) -> Option<bool> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let count = stream.read(&mut request).await.unwrap();
            assert!(request[..count].starts_with(b"GET /metrics HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        reached(&json!({"spec": {"clusterIP": "127.0.0.1", "ports": [{"port": port}]}})).await
    }

    // operator 79
    #[tokio::test]
    async fn what_the_registry_says_of_its_redis_counts() {
        assert_eq!(said("# TYPE redis_up gauge\nredis_up 1\n").await, Some(true));
        assert_eq!(said("redis_up 0\nredis_writes_refused_total 1\n").await, Some(false));
        assert_eq!(said("registry_requests_total 1\n").await, None);
        let nobody = json!({"spec": {"clusterIP": "None", "ports": [{"port": 5001}]}});
        assert_eq!(reached(&nobody).await, None);
    }
}
