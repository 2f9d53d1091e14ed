//! Bodies on their way in.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http_body_util::BodyDataStream;
use hyper::body::Body;
use tokio::sync::Semaphore;

use crate::http::inbound::Inbound;

/// How much of a body that nobody wants is read so that the client gets to see the answer.
const DRAINED: usize = 64 << 20;
const DRAINING: Duration = Duration::from_secs(10);

/// Why a body ended early.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// The frames of a body; a sender that is silent for longer is cut off.
pub fn frames<B>(
    body: &mut B,
    silence: Duration,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + Unpin
where
    B: Body<Data = Bytes, Error: Into<BodyError>> + Send + Unpin,
{
    let frames = stream::unfold(BodyDataStream::new(body), move |mut frames| async move {
        match tokio::time::timeout(silence, frames.next()).await {
            Ok(None) => None,
            Ok(Some(frame)) => Some((frame.map_err(Into::into), frames)),
            Err(silent) => Some((Err(silent.into()), frames)),
        }
    });
    Box::pin(frames)
}

/// The whole body, or nothing if it is larger than `limit`.
pub async fn whole(body: &mut Inbound, limit: u64) -> Result<Option<Bytes>, BodyError> {
    whole_where_room(body, limit, u64::MAX, &Semaphore::const_new(0)).await
}

/// The same of strangers: of bodies that are larger than `small` there are no more at a time than `room` has places.
pub async fn whole_where_room(
    body: &mut Inbound,
    limit: u64,
    small: u64,
    room: &Semaphore,
) -> Result<Option<Bytes>, BodyError> {
    if body.size_hint().lower() > limit {
        return Ok(None);
    }
    gather(body.frames(), limit, small, room).await
}

async fn gather(
    mut frames: impl Stream<Item = Result<Bytes, BodyError>> + Unpin,
    limit: u64,
    small: u64,
    room: &Semaphore,
) -> Result<Option<Bytes>, BodyError> {
    let (mut gathered, mut place) = (BytesMut::new(), None);
    while let Some(frame) = frames.try_next().await? {
        let length = (gathered.len() + frame.len()) as u64;
        if length > limit {
            return Ok(None);
        }
        if length > small && place.is_none() {
            place = Some(room.acquire().await?);
        }
        gathered.extend_from_slice(&frame);
    }
    Ok(Some(gathered.freeze()))
}

/// Reads what is left of a refused request beside its answer, so that the client is not reset.
pub fn drain(body: Inbound) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAINING, async move {
        let mut frames = BodyDataStream::new(body);
        let mut seen = 0;
        while let Some(Ok(frame)) = frames.next().await {
            seen += frame.len();
            if seen > DRAINED {
                break;
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    const SILENCE: Duration = Duration::from_secs(120);

    // registry C32
    #[tokio::test(start_paused = true)]
    async fn slow_senders_are_heard_out_and_silent_ones_are_not() {
        let pauses = [60, 119, 110, 121];
        let sender = stream::iter(pauses).then(|seconds| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, BodyError>(Frame::data(Bytes::from_static(b"x")))
        });
        let mut body = StreamBody::new(Box::pin(sender));
        let heard: Vec<bool> =
            frames(&mut body, SILENCE).take(pauses.len()).map(|frame| frame.is_ok()).collect().await;
        assert_eq!(heard, [true, true, true, false]);
    }

    // registry LM2: strangers who send slowly keep as many bytes here as there is room for
    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_small_ones_do_not() {
        let room = Semaphore::new(1);
        let sent = |length: usize| stream::iter([Ok(Bytes::from(vec![b'x'; length]))]);
        let mut slow = Box::pin(gather(sent(11).chain(stream::pending()), 100, 10, &room));
        assert_eq!((&mut slow).now_or_never().map(drop), None);
        assert_eq!(gather(sent(11), 100, 10, &room).now_or_never().map(drop), None);
        assert!(gather(sent(10), 100, 10, &room).now_or_never().unwrap().unwrap().is_some());
        assert!(gather(sent(101), 100, 10, &room).now_or_never().unwrap().unwrap().is_none());
        drop(slow);
        assert_eq!(gather(sent(11), 100, 10, &room).await.unwrap().unwrap().len(), 11);
    }
}
