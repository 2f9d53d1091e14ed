//! A request's body, counted.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::http::progress::Running;

/// A body on its way in that knows how much of it has come.
#[derive(Debug)]
pub struct Inbound {
    body: Incoming,
    received: u64,
    /// The request counts as running while its body is read.
    _running: Option<Arc<Running>>,
}

impl Inbound {
    /// Nothing has come yet.
    pub fn new(body: Incoming, running: Option<Arc<Running>>) -> Self {
        Self { body, received: 0, _running: running }
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received
    }
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
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
