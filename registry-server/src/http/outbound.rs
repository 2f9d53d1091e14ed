//! A response's body, counted, with something to do at its end.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Error, body::Body};
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};

use crate::http::pace;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Bytes that the connection took.
    pub bytes: u64,
    /// Whether that was all of it.
    pub whole: bool,
}

/// Called with how the body ended.
pub type End = Box<dyn FnOnce(Sent) + Send>;

struct Outbound {
    body: Body,
    sent: Sent,
    end: Option<End>,
}

/// The body; `end` is called when the connection is done with it, or has given it up.
pub fn counted(body: Body, end: End) -> Body {
    let sent = Sent { bytes: 0, whole: body.is_end_stream() };
    Body::new(Outbound { body, sent, end: Some(end) })
}

impl hyper::body::Body for Outbound {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        pace::handed_out(matches!(polled, Poll::Ready(Some(Ok(_)))));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.sent.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.sent.whole = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.sent.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end(self.sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::stream;
    use http_body_util::BodyExt;

    use super::*;

    fn watched(body: Body) -> (Body, Arc<Mutex<Option<Sent>>>) {
        let seen = Arc::new(Mutex::new(None));
        let told = Arc::clone(&seen);
        (counted(body, Box::new(move |sent| *told.lock().unwrap() = Some(sent))), seen)
    }

    #[tokio::test]
    async fn what_was_sent_is_told_at_the_end() {
        let parts = || Body::from_stream(stream::iter([Ok::<_, std::io::Error>("abc"), Ok("de")]));
        let (body, seen) = watched(parts());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcde");
        assert_eq!(*seen.lock().unwrap(), Some(Sent { bytes: 5, whole: true }));
        let (mut body, seen) = watched(parts());
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(*seen.lock().unwrap(), Some(Sent { bytes: 3, whole: false }));
        let (body, seen) = watched(Body::empty());
        drop(body);
        assert_eq!(*seen.lock().unwrap(), Some(Sent { bytes: 0, whole: true }));
    }
}
