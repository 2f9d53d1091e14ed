//! nginx in front of a registry. Machines without it skip these tests.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The site file of 2014: one header in `location /` cancels the three above it.
pub const OF_2014: &str = "
upstream docker-registry { server REGISTRY; }
server {
  listen LISTEN ssl;
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header Authorization \"\";
  client_max_body_size 0;
  chunked_transfer_encoding on;
  location / {
    proxy_pass http://docker-registry;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_read_timeout 900;
  }
}";

/// One that says what it knows.
pub const OF_TODAY: &str = "
server {
  listen LISTEN ssl http2;
  client_max_body_size 0;
  location / {
    proxy_pass http://REGISTRY;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
  }
}";

/// One that ends with the test.
pub struct Nginx {
    child: Child,
    log: PathBuf,
}

impl Nginx {
    /// Starts one at this address with this site, and with `crt` and `key` of the folder; nothing when the machine has no
    /// such program.
    pub fn start(folder: &Path, listen: &str, registry: &str, site: &str) -> Option<Self> {
        let (at, log) = (folder.to_str().unwrap(), folder.join("error.log"));
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places: String = kinds.iter().map(|kind| format!("{kind}_temp_path {at}/{kind};")).collect();
        let conf = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;\nevents {{}}\n\
             http {{ access_log off; {places}\nssl_certificate {at}/crt; ssl_certificate_key {at}/key;\n{site} }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, conf.replace("LISTEN", listen).replace("REGISTRY", registry)).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-p", at, "-e"]).arg(&log).arg("-c").arg(file);
        let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            assert!(std::env::var_os("NGINX_REQUIRED").is_none(), "no nginx on this machine");
            eprintln!("skipped: no nginx on this machine");
            return None;
        };
        Some(Self { child, log })
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Nginx {
    /// What it logged is told when a test has failed.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
