//! The program while it serves.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
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
    /// Its standard output and its standard error: files, which never are full, as pipes that nobody reads are.
    said: [File; 2],
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
        let said = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let child = command
            .arg("serve")
            .args(arguments)
            .current_dir(folder)
            .env("REGISTRY_HTTP_ADDR", format!("{host}:{port}"))
            .env("REGISTRY_HTTP_DEBUG_ADDR", format!("127.0.0.1:{admin}"))
            .stdout(said[0].try_clone().unwrap())
            .stderr(said[1].try_clone().unwrap())
            .spawn()
            .unwrap();
        Self { child, port, admin, said, _planted: planted }
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
    pub fn ended(self) -> (Option<i32>, String) {
        let (code, [_, log]) = self.ended_saying();
        (code, log)
    }

    /// Its exit code, and what it said on standard output and in its log, once it has ended.
    pub fn ended_saying(mut self) -> (Option<i32>, [String; 2]) {
        let code = self.child.wait().unwrap().code();
        (code, self.said())
    }

    /// What an ended program said: with it, these files are read from their beginning.
    fn said(&mut self) -> [String; 2] {
        self.said.each_mut().map(|file| {
            let mut text = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        })
    }
}

impl Drop for Running {
    /// Also when a test has failed: nothing outlives it, and what it logged is told. Else no secret is in that.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said = self.said();
        if std::thread::panicking() {
            eprintln!("{}", said[1]);
        } else {
            said.iter().for_each(|text| canaries::all_logged(text));
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

// registry OB6
#[test]
fn a_leak_is_found_wherever_a_program_tells_it() {
    canaries::shown("canary-of-a-program");
    for (says, found) in [("canary-of-a-program", true), ("nothing", false)] {
        for to in ["", " >&2"] {
            let folder = tempfile::tempdir().unwrap();
            let mut other = Command::new("sh");
            other.args(["-c", &format!("echo {says}{to}")]);
            let mut running = Running::by(&mut other, "127.0.0.1", folder.path(), &[]);
            running.child.wait().unwrap();
            let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(running)));
            assert_eq!(looked.is_err(), found, "{says}{to}");
        }
    }
}
