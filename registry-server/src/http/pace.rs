//! Streams of HTTP/2 whose reader must take what it asked for.
//!
//! A connection of HTTP/2 lives on while one of its streams is not read: the socket is busy with others, and pings are
//! answered. So each stream is watched by itself, and given up when its reader takes nothing for a while.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::rt::Executor;
use tokio::time::Instant;

tokio::task_local! {
    static PACE: Arc<Pace>;
}

/// Since when bytes of a stream wait for its reader.
#[derive(Debug, Default)]
struct Pace {
    waiting: Mutex<Option<Instant>>,
}

impl Pace {
    /// Ends when bytes have waited for longer than `patience`.
    async fn stalled(&self, patience: Duration) {
        loop {
            let waiting = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let due = waiting.unwrap_or_else(Instant::now) + patience;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// Says that the stream that runs now has handed out bytes and is not asked for more yet, or that it has none to hand
/// out. Elsewhere than in a stream of HTTP/2 nobody hears it.
pub fn handed_out(bytes: bool) {
    let _ = PACE.try_with(|pace| {
        *pace.waiting.lock().unwrap_or_else(PoisonError::into_inner) = bytes.then(Instant::now);
    });
}

/// Runs streams, and gives up those whose reader takes nothing for the time.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    patience: Duration,
}

impl Streams {
    /// Streams with this patience.
    pub fn new(patience: Duration) -> Self {
        Self { patience }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let (patience, pace) = (self.patience, Arc::<Pace>::default());
        tokio::spawn(async move {
            let running = PACE.scope(Arc::clone(&pace), stream);
            // A stream that is dropped is reset, and its reader hears that.
            tokio::select! {
                _ = running => {}
                () = pace.stalled(patience) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use bytes::Bytes;
    use futures::stream;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Empty};
    use hyper::{
        body::Incoming,
        client::conn::http2::{self, SendRequest},
        service::service_fn,
    };
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto,
    };

    use super::*;
    use crate::http::outbound;

    const PATIENCE: Duration = Duration::from_secs(600);
    const CHUNK: usize = 256 << 10;
    const CHUNKS: usize = 16;

    /// A client of a server that sends the same to everybody, after a while if the path says so.
    async fn client() -> SendRequest<Empty<Bytes>> {
        let (near, far) = tokio::io::duplex(64 << 10);
        let service = service_fn(async |request: Request<Incoming>| {
            let slow = request.uri().path() == "/slow";
            let chunks = stream::unfold(CHUNKS, move |left| async move {
                if slow && left == CHUNKS / 2 {
                    tokio::time::sleep(3 * PATIENCE).await;
                }
                let left = left.checked_sub(1)?;
                Some((Ok::<_, Infallible>(Bytes::from(vec![0; CHUNK])), left))
            });
            let body = outbound::counted(Body::from_stream(chunks), Box::new(|_| ()));
            Ok::<_, Infallible>(Response::new(body))
        });
        let server = auto::Builder::new(Streams::new(PATIENCE)).http2_only();
        tokio::spawn(async move { server.serve_connection(TokioIo::new(near), service).await.map_err(drop) });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(64 << 10).initial_connection_window_size(16 << 20);
        let (client, connection) = builder.handshake(TokioIo::new(far)).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn get(client: &mut SendRequest<Empty<Bytes>>, path: &str) -> Incoming {
        let request = Request::get(format!("http://x{path}")).body(Empty::new()).unwrap();
        client.send_request(request).await.unwrap().into_body()
    }

    /// How many bytes came, waiting before each frame, and whether that was all.
    async fn read(mut body: Incoming, pause: Duration) -> (usize, bool) {
        let mut bytes = 0;
        loop {
            tokio::time::sleep(pause).await;
            match body.frame().await {
                None => return (bytes, true),
                Some(Err(_)) => return (bytes, false),
                Some(Ok(frame)) => bytes += frame.into_data().map_or(0, |data| data.len()),
            }
        }
    }

    // registry LM2 J4
    #[tokio::test(start_paused = true)]
    async fn of_two_streams_the_one_that_is_not_read_is_given_up() {
        let mut client = client().await;
        let (stalled, read_on) = (get(&mut client, "/").await, get(&mut client, "/").await);
        assert_eq!(read(read_on, Duration::from_secs(5)).await, (CHUNK * CHUNKS, true));
        tokio::time::sleep(2 * PATIENCE).await;
        let (bytes, whole) = read(stalled, Duration::ZERO).await;
        assert!(bytes < CHUNK && !whole, "{bytes} {whole}");
        assert!(read(get(&mut client, "/").await, Duration::ZERO).await.1, "the connection goes on");
    }

    // registry C32 J4
    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_and_a_slow_store_are_not_given_up() {
        let mut client = client().await;
        let slow = get(&mut client, "/").await;
        assert_eq!(read(slow, Duration::from_secs(20)).await, (CHUNK * CHUNKS, true));
        let late = get(&mut client, "/slow").await;
        assert_eq!(read(late, Duration::ZERO).await, (CHUNK * CHUNKS, true));
    }
}
