//! Clients that hold their connection.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::running::Running;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    Plain,
    Secure,
    Second,
}

/// One end of a connection.
pub trait Peer {
    /// Asks whether somebody is there, and reads the answer.
    fn ask(&mut self);
}

/// HTTP/1.1, in the clear or not.
struct First<S>(S);

/// HTTP/2, and the next stream of it.
struct Second(TcpStream, u8);

impl<S: Read + Write> Peer for First<S> {
    fn ask(&mut self) {
        self.0.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n{}") {
            let mut more = [0; 1024];
            let count = self.0.read(&mut more).unwrap();
            assert_ne!(count, 0, "closed");
            answer.extend_from_slice(&more[..count]);
        }
    }
}

impl Second {
    fn open(mut socket: TcpStream) -> Self {
        // The preface, and no settings.
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        Self(socket, 1)
    }

    /// Type, flags and stream of the next frame.
    fn frame(&mut self) -> [u8; 3] {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).unwrap();
        let length = u64::from(u32::from_be_bytes([0, head[0], head[1], head[2]]));
        std::io::copy(&mut Read::by_ref(&mut self.0).take(length), &mut std::io::sink()).unwrap();
        [head[3], head[4], head[8]]
    }
}

impl Peer for Second {
    fn ask(&mut self) {
        // GET, http, the path and the host, and that this is all.
        let fields = b"\x82\x86\x44\x04/v2/\x41\x01x";
        let head = [0, 0, fields.len() as u8, 1, 5, 0, 0, 0, self.1];
        self.0.write_all(&[&head[..], fields].concat()).unwrap();
        // Data, with the end of the stream.
        while self.frame() != [0, 1, self.1] {}
        self.1 += 2;
    }
}

/// Writes a certificate of the server's own, and its key.
pub fn certify(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("crt"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key"), key.serialize_pem()).unwrap();
}

/// Opens connections to the program, which trust its certificate.
pub struct Peers<'a> {
    running: &'a Running,
    speech: Speech,
    tls: Option<Arc<ClientConfig>>,
}

impl<'a> Peers<'a> {
    pub fn new(running: &'a Running, speech: Speech, folder: &Path) -> Self {
        let tls = (speech == Speech::Secure).then(|| {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(folder.join("crt")).unwrap()).unwrap();
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
        });
        Self { running, speech, tls }
    }

    pub fn open(&self) -> Box<dyn Peer> {
        let socket = self.running.connect();
        match (self.speech, &self.tls) {
            (Speech::Second, _) => Box::new(Second::open(socket)),
            (_, None) => Box::new(First(socket)),
            (_, Some(tls)) => {
                let name = "localhost".try_into().unwrap();
                let session = ClientConnection::new(Arc::clone(tls), name).unwrap();
                Box::new(First(StreamOwned::new(session, socket)))
            }
        }
    }
}
