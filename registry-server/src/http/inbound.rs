//! A request's body, counted.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::error::Elapsed;

use crate::http::{
    body::{self, BodyError},
    patience::Patience,
    progress::Running,
};

/// A body on its way in that knows how much of it has come.
#[derive(Debug)]
pub struct Inbound {
    body: Incoming,
    received: u64,
    patience: Patience,
    fell_silent: Arc<AtomicBool>,
    /// The request counts as running while its body is read.
    _running: Option<Arc<Running>>,
}

impl Inbound {
    /// Nothing has come yet. Of a sender that is silent for longer than this allows nothing is expected.
    pub fn new(body: Incoming, running: Option<Arc<Running>>, patience: Patience) -> Self {
        Self { body, received: 0, patience, fell_silent: Arc::default(), _running: running }
    }

    /// How long its sender may take.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// What has come, frame by frame.
    pub fn frames(&mut self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + Unpin {
        let (silence, fell_silent) = (self.patience.silence, Arc::clone(&self.fell_silent));
        body::frames(self, silence).inspect(move |frame| {
            let silent = frame.as_ref().is_err_and(|error| error.is::<Elapsed>());
            fell_silent.fetch_or(silent, Ordering::Relaxed);
        })
    }

    /// Whether its sender has been silent for too long.
    pub fn fell_silent(&self) -> bool {
        self.fell_silent.load(Ordering::Relaxed)
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
