//! The program while it serves.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use registry_config::schema::Config;

use crate::{
    canaries::{self, Planted},
    ports,
};

/// The program while it serves, and where.
pub struct Running {
    pub child: Child,
    pub port: u16,
    /// Where its probes and metrics are.
    admin: u16,
    _planted: Vec<Planted>,
}

/// The program itself: the one that is named, such as that of a release, or the one that was built with the tests.
pub fn program() -> PathBuf {
    let named = std::env::var_os("PROGRAM_UNDER_TEST").map(PathBuf::from);
    named.unwrap_or_else(|| assert_cmd::cargo::cargo_bin("registry-server"))
}

/// Waits until it is so; gives up after a while.
pub fn eventually(mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never became so");
}

impl Running {
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1", folder, arguments)
    }

    /// Serves at this address of the machine; an empty one: at all of them.
    pub fn start_at(host: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::by(&mut Command::new(program()), host, folder, arguments)
    }

    /// The same by a command that runs the program, or has it run.
    pub fn by(command: &mut Command, host: &str, folder: &Path, arguments: &[&str]) -> Self {
        let (port, admin) = (ports::free(), ports::free());
        let configs = arguments.iter().filter(|argument| argument.ends_with(".yml"));
        let planted = configs.map(|file| plant(folder, file)).collect();
        let child = command
            .arg("serve")
            .args(arguments)
            .current_dir(folder)
            .env("REGISTRY_HTTP_ADDR", format!("{host}:{port}"))
            .env("REGISTRY_HTTP_DEBUG_ADDR", format!("127.0.0.1:{admin}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, port, admin, _planted: planted }
    }

    /// A connection, as soon as the server listens.
    pub fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    /// Sends a request as soon as the server listens, and gives the answer.
    pub fn ask(&self, request: &str) -> String {
        ask(self.port, request)
    }

    /// What the admin listener says at this path.
    pub fn admin(&self, path: &str) -> String {
        ask(self.admin, &format!("GET {path} HTTP/1.1"))
    }

    /// The counter's or gauge's value of this process, once there is one.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let all = self.admin("/metrics");
        let mut lines = all.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        lines.next().map(|value| value.trim().parse().unwrap())
    }

    pub fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Ends it by SIGTERM; gives its exit code and its log.
    pub fn end(self) -> (Option<i32>, String) {
        self.signal();
        self.ended()
    }

    /// Its exit code and its log, once it has ended.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        canaries::logged(&log);
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    /// Also when a test has failed: nothing outlives it, and what it logged is told.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(mut stderr) = self.child.stderr.take().filter(|_| std::thread::panicking()) {
            let mut log = String::new();
            let _ = stderr.read_to_string(&mut log);
            eprintln!("{log}");
        }
    }
}

/// What is in the program's configuration is told to nobody who should not know it.
fn plant(folder: &Path, file: &str) -> Planted {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let (config, _) = Config::read(file, &text, []).unwrap();
    canaries::plant(&config, folder)
}

/// What stands behind the word that says what kind of secret it is.
fn show(authorization: &str) {
    canaries::shown(authorization.split_once(' ').map_or("", |(_, secret)| secret));
}

fn connect(port: u16) -> TcpStream {
    let mut connected = None;
    eventually(|| {
        connected = TcpStream::connect(("127.0.0.1", port)).ok();
        connected.is_some()
    });
    connected.unwrap()
}

fn ask(port: u16, request: &str) -> String {
    let mut stream = connect(port);
    let (line, body) = request.split_once("\n\n").unwrap_or((request, ""));
    line.lines().filter_map(|line| line.strip_prefix("authorization: ")).for_each(show);
    let head = format!("{line}\ncontent-length: {}\nhost: x\nconnection: close\n\n", body.len());
    stream.write_all((head.replace('\n', "\r\n") + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    canaries::told(&answer);
    answer
}
