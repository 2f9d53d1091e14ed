//! Bodies for the refusals that `hyper` writes itself.
//!
//! A request that cannot be parsed never reaches the service: `hyper` answers 400, 414 or 431 without a body, and closes.
//! It has no hook for that, so what it writes is looked at. All bytes that it writes while every request that it handed
//! over has been answered, and the answers have gone out, are its own words.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::{
    http::{
        error::document,
        progress::Progress,
        well_formed::{LONGEST_HEADER, LONGEST_URI, MOST_FIELDS},
    },
    oci::error_code::ErrorCode,
};

/// How long a refused client may go on sending: a socket that is closed over unread bytes is reset, and the client may
/// lose the answer with it (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(2);
/// How much of it is read meanwhile, in bytes.
const LINGER_BYTES: usize = 1 << 20;
/// What a request begins with whose answer has no body.
const HEAD: &[u8] = b"HEAD ";
const END: &[u8] = b"\r\n\r\n";

/// A connection whose every refusal has a body.
pub struct ErrorBodies<S> {
    io: S,
    progress: Arc<Progress>,
    /// How many requests there were when the last answer had gone out.
    settled: usize,
    /// The first bytes after that.
    opening: Vec<u8>,
    /// An answer of ours that is being written, and how much of it has gone.
    refusal: Option<(Vec<u8>, usize)>,
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ErrorBodies<S> {
    /// The connection, and what is known about the requests on it.
    pub fn new(io: S, progress: Arc<Progress>) -> Self {
        Self { io, progress, settled: 0, opening: Vec::new(), refusal: None, lingering: None }
    }

    /// Whether nobody but `hyper` can have something to say.
    fn between_requests(&self) -> bool {
        self.progress.asked() == self.settled
    }

    /// Takes bytes that are a refusal of `hyper`'s; ours is written in their place.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        if self.refusal.is_some() || !self.between_requests() {
            return false;
        }
        self.refusal = with_body(bytes, self.opening == HEAD).map(|answer| (answer, 0));
        self.refusal.is_some()
    }

    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((answer, gone)) = &mut self.refusal
            && *gone < answer.len()
        {
            match ready!(Pin::new(&mut self.io).poll_write(context, &answer[*gone..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => *gone += written,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what a refused client still sends, within limits.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let begin = || (Box::pin(tokio::time::sleep(LINGER)), 0);
        let (end, read) = self.lingering.get_or_insert_with(begin);
        let mut scratch = [0; 4096];
        while *read < LINGER_BYTES && end.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *read += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// The refusal with a body; nothing if the bytes are something else, such as frames of HTTP/2.
fn with_body(bytes: &[u8], head: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n")?;
    let status = text.strip_prefix("HTTP/1.")?.get(2..5)?;
    let (message, detail) = match status {
        "414" => ("URI is too long", json!({ "limit": LONGEST_URI })),
        "431" => ("header is too long", json!({ "limit": LONGEST_HEADER, "fields": MOST_FIELDS })),
        "400" => {
            let reason = "the request line, a header field or the length of the body is malformed";
            ("the request cannot be read", json!({ "reason": reason }))
        }
        _ => return None,
    };
    let body = document(ErrorCode::Unsupported, message, &[detail]);
    let mut answer = text.replace("content-length: 0\r\n", "");
    let length = body.len();
    answer.push_str(&format!(
        "content-type: application/json\r\ncontent-length: {length}\r\n\
         docker-distribution-api-version: registry/2.0\r\nx-content-type-options: nosniff\r\n\r\n"
    ));
    if !head {
        answer.push_str(&body);
    }
    bytes.ends_with(END).then(|| answer.into_bytes())
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ErrorBodies<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        let room = HEAD.len() - self.opening.len();
        if room > 0 && self.between_requests() {
            self.opening.extend(buffer.filled()[before..].iter().take(room));
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ErrorBodies<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = parts.iter().find(|part| !part.is_empty())
            && self.takes(first)
        {
            return Poll::Ready(Ok(first.len()));
        }
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// `hyper` asks for it when it has handed over every byte that it had.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.between_requests() && self.progress.all_answered() {
            self.settled = self.progress.asked();
            self.opening.clear();
        }
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(context))?;
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.io).poll_shutdown(context))?;
        }
        if self.refusal.is_some() {
            ready!(self.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}
