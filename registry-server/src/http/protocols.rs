//! What connections speak: HTTP/1.1 and HTTP/2, and what each allows its client.

use std::time::Duration;

use hyper_util::{rt::TokioTimer, server::conn::auto};

use crate::http::{
    pace::Streams,
    patience::Patience,
    well_formed::{READ_FIELDS, READ_HEADER},
};

/// Bytes of a connection of HTTP/1.1 that wait here in either direction: a header that is larger is refused.
const BUFFER: usize = READ_HEADER as usize;
/// Requests of a connection at a time.
const STREAMS: u32 = 100;
/// Clients that can send larger frames than 16 KiB may.
const FRAME: u32 = 256 << 10;
/// How often a client of HTTP/2 that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(30);

/// What serves a connection, whichever of both it speaks.
pub fn builder(patience: &Patience) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams::new(patience.stream_stall));
    // Who has said all that there is to say may close that half of the connection, and is answered all the same.
    builder
        .http1()
        .timer(TokioTimer::new())
        .half_close(true)
        .header_read_timeout(patience.idle)
        .max_headers(READ_FIELDS)
        .max_buf_size(BUFFER);
    // What may be sent before it was taken is 64 KiB at first, and grows with what was taken and how far away the client is:
    // of a new connection that has no leave yet no more than that waits here.
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(PING))
        .adaptive_window(true)
        .max_concurrent_streams(STREAMS)
        .max_frame_size(FRAME)
        .max_header_list_size(READ_HEADER);
    builder
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use bytes::Bytes;
    use futures::{StreamExt, stream};
    use http::{Request, Response};
    use http_body_util::{BodyDataStream, BodyExt, StreamBody, combinators::BoxBody};
    use hyper::{
        body::{Body, Frame, Incoming},
        client::conn::{http1, http2},
        service::service_fn,
    };
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
        sync::mpsc,
        time::{Instant, sleep_until},
    };

    use super::*;

    const CHUNK: usize = 64 << 10;
    /// 128 MiB.
    const CHUNKS: usize = 2048;
    /// Bytes per second: a gigabit.
    const RATE: f64 = 125e6;
    const ONE_WAY: Duration = Duration::from_millis(10);

    /// One way of a link: as fast as `RATE`, and as late as `ONE_WAY`.
    async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let (leaves, mut arrives) = mpsc::unbounded_channel();
        let sending = async move {
            let (mut free, mut bytes) = (Instant::now(), vec![0; CHUNK]);
            while let Ok(count @ 1..) = from.read(&mut bytes).await {
                free = free.max(Instant::now()) + Duration::from_secs_f64(count as f64 / RATE);
                leaves.send((free + ONE_WAY, bytes[..count].to_vec())).unwrap();
            }
        };
        let receiving = async move {
            while let Some((at, bytes)) = arrives.recv().await {
                sleep_until(at).await;
                to.write_all(&bytes).await.unwrap();
            }
        };
        tokio::join!(sending, receiving);
    }

    /// Both ends of a link.
    fn link() -> (DuplexStream, DuplexStream) {
        let ((near, inner), (outer, far)) = (tokio::io::duplex(4 << 20), tokio::io::duplex(4 << 20));
        let ((from_near, to_near), (from_far, to_far)) = (tokio::io::split(inner), tokio::io::split(outer));
        tokio::spawn(carry(from_near, to_far));
        tokio::spawn(carry(from_far, to_near));
        (near, far)
    }

    type Sent = BoxBody<Bytes, Infallible>;

    fn large(chunks: usize) -> Sent {
        let chunk = Bytes::from(vec![b'x'; CHUNK]);
        let frames = (0..chunks).map(move |_| Ok(Frame::data(chunk.clone())));
        BodyExt::boxed(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())))
    }

    async fn length(body: impl Body<Data = Bytes, Error: std::fmt::Debug> + Unpin) -> usize {
        let frames = BodyDataStream::new(body);
        frames.fold(0, async |length, frame| length + frame.unwrap().len()).await
    }

    /// The far end of a link: it takes what it is sent, and sends as many chunks as the path says.
    fn serve(far: DuplexStream) {
        let service = service_fn(async |request: Request<Incoming>| {
            let chunks = request.uri().path()[1..].parse().unwrap();
            length(request.into_body()).await;
            Ok::<_, Infallible>(Response::new(large(chunks)))
        });
        let builder = builder(&Patience::draining(Duration::from_secs(60)));
        tokio::spawn(async move { builder.serve_connection(TokioIo::new(far), service).await.map_err(drop) });
    }

    /// How long it takes to send so many chunks and to get so many, by both protocols.
    async fn both(up: usize, down: usize) -> [Duration; 2] {
        let request =
            || Request::post(format!("http://x/{down}")).header("host", "x").body(large(up)).unwrap();
        let (near, far) = link();
        serve(far);
        let (mut first, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection);
        let began = Instant::now();
        let got = length(first.send_request(request()).await.unwrap().into_body()).await;
        assert_eq!(got, down * CHUNK);
        let one = began.elapsed();
        let (near, far) = link();
        serve(far);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // What curl has.
        builder.initial_stream_window_size(10 << 20).initial_connection_window_size(10 << 20);
        let (mut second, connection) = builder.handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection);
        let began = Instant::now();
        let got = length(second.send_request(request()).await.unwrap().into_body()).await;
        assert_eq!(got, down * CHUNK);
        [one, began.elapsed()]
    }

    // registry LM2: whoever has no leave yet has next to nothing waiting here
    #[tokio::test(start_paused = true)]
    async fn what_is_not_read_is_not_sent() {
        let (near, far) = link();
        let builder = builder(&Patience::draining(Duration::from_secs(60)));
        let service = service_fn(async |request: Request<Incoming>| {
            tokio::time::sleep(Duration::from_secs(30)).await;
            drop(request);
            Ok::<_, Infallible>(Response::new(large(0)))
        });
        tokio::spawn(async move { builder.serve_connection(TokioIo::new(far), service).await.map_err(drop) });
        let (mut client, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection);
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let frames = large(CHUNKS).map_frame(move |frame| {
            counted.fetch_add(1, Ordering::Relaxed);
            frame
        });
        let request = Request::post("http://x/").body(BodyExt::boxed(frames)).unwrap();
        assert!(client.send_request(request).await.unwrap().status().is_success());
        // The one that filled the window, and the next.
        assert!(sent.load(Ordering::Relaxed) <= 2, "{sent:?} chunks");
    }

    // registry J4: the time is that of the test, in which only the link takes any
    #[tokio::test(start_paused = true)]
    async fn http_2_is_about_as_fast_as_http_1_over_a_long_link() {
        for (up, down) in [(CHUNKS, 0), (0, CHUNKS)] {
            let [first, second] = both(up, down).await;
            let least = Duration::from_secs_f64((CHUNKS * CHUNK) as f64 / RATE);
            assert!(first >= least && second >= least, "{least:?} {first:?} {second:?}");
            assert!(second <= first.mul_f64(1.2), "up {up}, down {down}: {first:?} {second:?}");
        }
    }
}
