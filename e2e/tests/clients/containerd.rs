//! containerd, by `ctr`: a containerd of the script's own, told by a folder of hosts whom to trust.

use std::{
    fs::{self, File},
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Result, ensure};
use e2e::process::{eventually, run};

use crate::{
    place::{PASSWORD, Place, USER, refused},
    ways::each_way_as_root,
};

#[test]
fn containerd_pushes_and_pulls() -> Result<()> {
    each_way_as_root(&["containerd", "ctr", "curl"], script)
}

/// One that ends with the script.
struct Containerd<'a> {
    place: &'a Place,
    child: Child,
}

impl<'a> Containerd<'a> {
    fn start(place: &'a Place) -> Result<Self> {
        let at = place.file("containerd").display().to_string();
        let config = format!(
            "version = 2\nroot = '{at}/root'\nstate = '{at}/state'\n\
             disabled_plugins = ['io.containerd.grpc.v1.cri']\n[grpc]\naddress = '{at}/socket'\n\
             [plugins.'io.containerd.internal.v1.opt']\npath = '{at}/opt'\n"
        );
        fs::create_dir(&at)?;
        fs::write(place.file("containerd/config.toml"), config)?;
        let mut command = Command::new("containerd");
        command.arg("--config").arg(place.file("containerd/config.toml"));
        let child = command.stderr(File::create(place.file("containerd/log"))?).spawn()?;
        let started = Self { place, child };
        eventually(Duration::from_secs(20), "containerd to answer", || {
            run(&mut started.ctr(&["version"])).map(Some)
        })?;
        Ok(started)
    }

    fn ctr(&self, args: &[&str]) -> Command {
        let mut command = self.place.client("ctr", &["--namespace", "clients", "--address"]);
        command.arg(self.place.file("containerd/socket")).args(args);
        command
    }

    /// Digests of all that it holds.
    fn held(&self) -> Result<Vec<String>> {
        let listed = run(&mut self.ctr(&["content", "ls", "-q"]))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where containerd looks for registries: the CA, and what the registry may do.
fn hosts(place: &Place) -> Result<String> {
    let folder = place.file("hosts").join(&place.address);
    fs::create_dir_all(&folder)?;
    let hosts = format!(
        "server = 'https://{0}'\n[host.'https://{0}']\ncapabilities = ['pull', 'resolve', 'push']\nca = '{1}'\n",
        place.address,
        place.ca().display()
    );
    fs::write(folder.join("hosts.toml"), hosts)?;
    Ok(format!("--hosts-dir={}", place.file("hosts").display()))
}

fn script(place: &Place) -> Result<()> {
    let containerd = Containerd::start(place)?;
    let (app, hosts, archive) = (place.reference("ctr/app:1"), hosts(place)?, place.file("image.tar"));
    let (wrong, right) = (format!("--user={USER}:wrong"), format!("--user={USER}:{PASSWORD}"));
    place.image.archive(&archive)?;
    let import = ["images", "import", "--all-platforms", "--no-unpack", "--base-name", "made"];
    run(containerd.ctr(&import).arg(&archive))?;
    run(&mut containerd.ctr(&["images", "tag", "made:1", &app]))?;
    refused(&mut containerd.ctr(&["images", "push", &hosts, &wrong, &app]), "", "401 Unauthorized")?;
    run(&mut containerd.ctr(&["images", "push", &hosts, &right, &app]))?;
    place.has("ctr/app", "1", &place.image.digest)?;

    run(&mut containerd.ctr(&["images", "rm", "--sync", "made:1", &app]))?;
    ensure!(containerd.held()?.is_empty(), "what was removed is still there");
    let pull = ["images", "pull", "--all-platforms", "--snapshotter=native", &hosts];
    refused(containerd.ctr(&pull).args([&wrong, &app]), "", "401 Unauthorized")?;
    run(containerd.ctr(&pull).args([&right, &app]))?;
    let source = e2e::layout::contents(&place.image.layout)?;
    ensure!(containerd.held()?.len() == source.len(), "not all that was pushed came back");
    for (digest, bytes) in source {
        let file = place.file("blob");
        let mut get = containerd.ctr(&["content", "get", &format!("sha256:{digest}")]);
        ensure!(get.stdout(File::create(&file)?).status()?.success(), "no {digest} came back");
        ensure!(fs::read(&file)? == bytes, "{digest} is not byte for byte what was pushed");
    }
    Ok(())
}
