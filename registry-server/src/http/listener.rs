//! Sockets: accepting, TLS, limits of a connection, draining.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

use crate::{
    auth::certificate_names::CertificateNames,
    http::{
        accepting::{Accepted, Accepting},
        error_bodies::ErrorBodies,
        headers::Response,
        outbound,
        patience::Patience,
        patient::Patient,
        progress::Progress,
        protocols, tls,
    },
};

const HANDSHAKE: Duration = Duration::from_secs(10);

/// Turns true when the server is to end.
pub type Stop = watch::Receiver<bool>;

/// An address as configured: an empty host is every address, of IPv6 too where the machine has it.
pub async fn bind(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else { return TcpListener::bind(address).await };
    match TcpListener::bind(format!("[::]:{port}")).await {
        Err(e) if e.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(format!("0.0.0.0:{port}")).await,
        bound => bound,
    }
}

/// Serves connections until told to stop, then lets running requests end.
pub async fn serve<S, F>(
    mut listener: Accepting,
    tls: Option<tls::Current>,
    service: S,
    mut stop: Stop,
    patience: Patience,
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    loop {
        let Accepted { stream, peer, place } = tokio::select! {
            accepted = listener.next() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (tls, service, alive, ending) = (tls.clone(), service.clone(), alive.clone(), stop.clone());
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let _held = (place, alive);
            let progress = Arc::<Progress>::default();
            let stream = Patient::new(stream, patience.stall, Arc::clone(&progress));
            let Some((io, certificate)) = secure(stream, tls).await else { return };
            let io = ErrorBodies::new(io, Arc::clone(&progress));
            let asked_to_end = asked_to_end(ending, Arc::clone(&progress), patience.idle);
            let service = service_fn(move |mut request: Request<Incoming>| {
                let answering = progress.answering();
                let running = Arc::new(progress.begin(request.version()));
                // Its body may be read for longer than it is answered.
                request.extensions_mut().insert(Arc::clone(&running));
                request.extensions_mut().insert(patience);
                if let Some(certificate) = &certificate {
                    request.extensions_mut().insert(Arc::clone(certificate));
                }
                // In a box: a connection keeps room for what answers, also while it rests.
                let answer = Box::pin(service(request, peer));
                async move {
                    let Ok(answer) = answer.await;
                    drop(running);
                    let whole = Box::new(move |_| drop(answering));
                    Ok::<_, Infallible>(answer.map(|body| outbound::counted(body, whole)))
                }
            });
            let server = protocols::builder(&patience);
            let mut connection = pin!(server.serve_connection(TokioIo::new(io), service).into_owned());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = asked_to_end => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, error, "connection ended");
            }
        });
    }
    drop((listener, alive));
    if tokio::time::timeout(patience.drain, all_gone.recv()).await.is_err() {
        tracing::warn!("requests were still running at the end of the drain time");
    }
}

/// When a connection is to take no more requests: the server ends, or it is one of HTTP/2 that rests. One of HTTP/1.1 has its
/// own clock, which knows when the next header begins.
async fn asked_to_end(mut ending: Stop, progress: Arc<Progress>, idle: Duration) {
    let rested = async {
        let mut seen = progress.asked();
        loop {
            tokio::time::sleep(idle).await;
            let now = progress.asked();
            if now == seen && progress.all_answered() && progress.multiplexed() {
                break;
            }
            seen = now;
        }
    };
    tokio::select! {
        _ = ending.wait_for(|ending| *ending) => {}
        () = rested => {}
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The connection, and what the client's certificate says, if it has shown one: then it was verified.
async fn secure(
    stream: Patient<TcpStream>,
    tls: Option<tls::Current>,
) -> Option<(Box<dyn Io>, Option<Arc<CertificateNames>>)> {
    let Some(tls) = tls else { return Some((Box::new(stream), None)) };
    let acceptor = tokio_rustls::TlsAcceptor::from(tls.load_full());
    let accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await.ok()?.ok()?;
    let shown = accepted.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let names = shown.and_then(|certificate| CertificateNames::read(certificate)).map(Arc::new);
    Some((Box::new(accepted), names))
}
