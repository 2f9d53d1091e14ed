//! Accepting connections: as many as there are places, and not while something hinders it.

use std::{fmt::Display, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// How long to wait when no connection can be accepted: until then others may have ended.
const PAUSE: Duration = Duration::from_millis(50);
/// That it was so is told no more often than this.
const TOLD: Duration = Duration::from_secs(60);

/// A listener with so many places. Who finds none waits where the system lets him, and is accepted when one is free.
pub struct Accepting {
    listener: TcpListener,
    places: Arc<Semaphore>,
    told: Option<Instant>,
}

/// A connection.
pub struct Accepted {
    /// It itself.
    pub stream: TcpStream,
    /// The other end.
    pub peer: SocketAddr,
    /// Free again when this is dropped.
    pub place: Option<OwnedSemaphorePermit>,
}

impl Accepting {
    /// With `most` places.
    pub fn new(listener: TcpListener, most: u32) -> Self {
        let most =
            usize::try_from(most).map_or(Semaphore::MAX_PERMITS, |most| most.min(Semaphore::MAX_PERMITS));
        Self { listener, places: Arc::new(Semaphore::new(most)), told: None }
    }

    /// The next connection. What hinders it, such as too many open files, passes.
    pub async fn next(&mut self) -> Accepted {
        let place = self.place().await;
        loop {
            let error = match self.listener.accept().await {
                // A socket for both families calls an address of IPv4 by a name of IPv6.
                Ok((stream, peer)) => {
                    return Accepted {
                        stream,
                        peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
                        place,
                    };
                }
                Err(error) => error,
            };
            self.tell(error);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        loop {
            self.tell("there are as many connections as http.maxconnections allows, so that new ones wait");
            // Until somebody leaves.
            if let Ok(place) = timeout(TOLD, Arc::clone(&self.places).acquire_owned()).await {
                return place.ok();
            }
        }
    }

    fn tell(&mut self, why: impl Display) {
        if self.told.is_none_or(|told| told.elapsed() >= TOLD) {
            tracing::warn!(%why, "a connection cannot be accepted; others are served meanwhile");
            self.told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITED: Duration = Duration::from_secs(290);

    // registry LM2
    #[tokio::test(start_paused = true)]
    async fn that_connections_wait_is_told_once_a_minute() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let subscriber = tracing_subscriber::fmt().with_writer(Arc::new(log.reopen().unwrap())).finish();
        let _heard = tracing::subscriber::set_default(subscriber);
        let told = || std::fs::read_to_string(log.path()).unwrap().matches("maxconnections").count();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut accepting = Accepting::new(listener, 1);
        let _clients =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let inside = accepting.next().await;
        assert_eq!(told(), 0, "there was a place");
        assert!(timeout(WAITED, accepting.next()).await.is_err());
        assert_eq!(told(), 5);
        drop(inside);
        let inside = accepting.next().await;
        assert!(timeout(Duration::from_secs(9), accepting.next()).await.is_err());
        assert_eq!(told(), 5, "the minute is not over");
        assert!(inside.place.is_some());
    }
}
