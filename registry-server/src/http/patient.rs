//! Sockets whose peer must read what it asked for, and must ask.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use crate::http::progress::Progress;

/// From the opening of the socket to the end of the first header, a handshake included.
const FIRST: Duration = Duration::from_secs(20);
/// From a header's first byte to its last.
const HEADER: Duration = Duration::from_secs(15);

/// A socket that fails when its peer takes nothing for a while, or does not say what it wants.
pub struct Patient<S> {
    socket: S,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    progress: Arc<Progress>,
    /// When the header that is being sent must be complete.
    due: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// The socket, given up when a write makes no way for `patience`.
    pub fn new(socket: S, patience: Duration, progress: Arc<Progress>) -> Self {
        let due = Some(Instant::now() + FIRST);
        Self { socket, patience, waiting: None, progress, due, alarm: None }
    }

    /// Whether a header takes too long. The alarm is set only where there is something to wait for.
    fn late(&mut self, context: &mut Context<'_>, came: bool, pending: bool) -> bool {
        if !self.progress.expects_header() {
            (self.due, self.alarm) = (None, None);
        } else if came && self.due.is_none() {
            self.due = Some(Instant::now() + HEADER);
        }
        let Some(due) = self.due.filter(|_| pending) else { return false };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        alarm.as_mut().poll(context).is_ready()
    }

    /// Something was written: an answer, if there has been a request, and then the header was complete. A flush says
    /// nothing, for it also comes while a header does.
    fn wrote(&mut self, polled: &Poll<io::Result<usize>>) {
        if self.progress.begun() && matches!(polled, Poll::Ready(Ok(1..))) {
            (self.due, self.alarm) = (None, None);
        }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        let came = buffer.filled().len() > before;
        if self.late(context, came, polled.is_pending()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.wrote(&polled);
        self.judge(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.wrote(&polled);
        self.judge(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_flush(context);
        self.judge(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_shutdown(context);
        self.judge(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    // registry LM2
    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_given_up_and_a_slow_one_is_not() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut socket = Patient::new(near, PATIENCE, Arc::default());
        let slow = async {
            let mut taken = [0; 10];
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                far.read_exact(&mut taken).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(socket.write_all(&[0; 100]), slow);
        written.unwrap();
        let began = tokio::time::Instant::now();
        let stalled = socket.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!((stalled.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 60));
    }

    /// Reads once; gives the bytes, or after how many seconds it failed.
    async fn read(socket: &mut Patient<tokio::io::DuplexStream>) -> Result<usize, u64> {
        let began = tokio::time::Instant::now();
        let read = socket.read(&mut [0; 10]).await;
        read.map_err(|_| began.elapsed().as_secs())
    }

    // registry TL5 LM2
    #[tokio::test(start_paused = true)]
    async fn whoever_asks_nothing_is_cut_off() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut socket = Patient::new(near, PATIENCE, Arc::default());
        far.write_all(b"PRI").await.unwrap();
        assert_eq!(read(&mut socket).await, Ok(3));
        assert_eq!(read(&mut socket).await, Err(20));
    }

    // registry LM3
    #[tokio::test(start_paused = true)]
    async fn a_first_header_that_trickles_in_is_cut_at_the_limit() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut socket = Patient::new(near, PATIENCE, Arc::default());
        let began = Instant::now();
        let trickle = async {
            loop {
                far.write_all(b"x").await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let taken = async {
            let mut taken = 0;
            while let Ok(more) = read(&mut socket).await {
                taken += more;
            }
            taken
        };
        let taken = tokio::select! { biased; taken = taken => taken, never = trickle => never };
        assert_eq!((began.elapsed(), taken), (FIRST, 20));
    }

    // registry LM3
    #[tokio::test(start_paused = true)]
    async fn a_connection_may_rest_between_requests_and_not_within_a_header() {
        let (near, mut far) = tokio::io::duplex(10);
        let progress = Arc::<Progress>::default();
        let mut socket = Patient::new(near, PATIENCE, Arc::clone(&progress));
        let running = progress.begin(http::Version::HTTP_11);
        let rest = |seconds| tokio::time::timeout(Duration::from_secs(seconds), std::future::pending::<()>());
        let body = tokio::time::timeout(Duration::from_secs(100), read(&mut socket)).await;
        assert!(body.is_err(), "a body may take its time");
        drop(running);
        socket.write_all(b"200").await.unwrap();
        socket.flush().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(100), read(&mut socket)).await.is_err());
        far.write_all(b"GET").await.unwrap();
        assert_eq!(read(&mut socket).await, Ok(3));
        rest(5).await.unwrap_err();
        far.write_all(b" /").await.unwrap();
        assert_eq!(read(&mut socket).await, Ok(2));
        // Whoever serves the socket flushes it also when there is nothing to write.
        socket.flush().await.unwrap();
        let cut = tokio::time::timeout(Duration::from_secs(60), read(&mut socket)).await;
        assert_eq!(cut.expect("it was not cut"), Err(10));
    }

    // registry J4
    #[tokio::test(start_paused = true)]
    async fn http_2_says_other_things_between_requests() {
        let (near, mut far) = tokio::io::duplex(10);
        let progress = Arc::<Progress>::default();
        let mut socket = Patient::new(near, PATIENCE, Arc::clone(&progress));
        drop(progress.begin(http::Version::HTTP_2));
        far.write_all(b"pong").await.unwrap();
        assert_eq!(read(&mut socket).await, Ok(4));
        assert!(tokio::time::timeout(Duration::from_secs(600), read(&mut socket)).await.is_err());
    }
}
