//! dx-registry between the managers and the recorded registry, which is its upstream, and a relay
//! before it that imitates the network.

use super::relay::Relay;
use crate::options::Options;
use crate::workspace;
use dx_pkg_testkit::replay::{Counts, Network};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A dx-registry with a relay before it.
pub(crate) struct Through {
    process: Child,
    address: SocketAddr,
    relay: Relay,
    storage: PathBuf,
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("dx-registry: {error}")
}

/// The program of `--dx-registry`, else the one beside `--dx`, else the release build.
fn program(options: &Options) -> Result<PathBuf, String> {
    if let Some(path) = options.path("dx-registry")? {
        return Ok(path);
    }
    let name = format!("dx-registry{}", std::env::consts::EXE_SUFFIX);
    if let Some(dx) = options.path("dx")? {
        return Ok(dx.with_file_name(name));
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "dx-pkg-server"]).current_dir(workspace::root());
    crate::dx::run(cargo)?;
    Ok(workspace::target().join("release").join(name))
}

impl Through {
    /// Starts it with an empty storage, in a new folder beside `data`.
    pub(crate) fn start(options: &Options, data: &Path, upstream: &str) -> Result<Self, String> {
        let storage = data.with_file_name(format!("dx-registry-{}", std::process::id()));
        let mut command = Command::new(program(options)?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--upstream", upstream, "--storage"]);
        // What is measured is not how often an upstream is asked.
        command.arg(&storage).env("DX_REGISTRY_CACHE__FRESH", "12h");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(failed)?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or_else(|| failed("no output"))?;
        let mut output = BufReader::new(output);
        output.read_line(&mut line).map_err(failed)?;
        let address = line.split("http://").nth(1).map(|rest| rest.trim().trim_end_matches('/'));
        let address = address.and_then(|text| text.parse().ok()).ok_or_else(|| failed(&line))?;
        // What it prints later goes nowhere, but must be read.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let relay = Relay::start(address)?;
        Ok(Through { process, address, relay, storage })
    }

    /// Returns the URL that managers use.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.relay.address())
    }

    /// Changes the network.
    pub(crate) fn set_network(&self, network: Network) {
        self.relay.set_network(network);
    }

    /// Returns the traffic so far, as far as it is known: what the requests were for is not.
    pub(crate) fn counts(&self) -> Counts {
        let (connections, bytes_received, bytes_sent) = self.relay.counts();
        Counts {
            connections,
            bytes_received,
            bytes_sent,
            other_requests: self.requests().unwrap_or_default(),
            ..Counts::default()
        }
    }

    /// Returns how many requests it has answered.
    fn requests(&self) -> Option<u64> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let head = b"GET /-/metrics HTTP/1.1\r\nhost: registry\r\nconnection: close\r\n\r\n";
        stream.write_all(head).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let line =
            text.lines().find(|line| line.starts_with("dx_registry_request_seconds_count"))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Returns its processor time in seconds; 0 where the system does not tell.
    pub(crate) fn processor_time(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let text = text.unwrap_or_default();
        // After the name in parentheses; fields 14 and 15 of proc_pid_stat(5), in hundredths.
        let rest = text.rsplit(')').next().unwrap_or_default();
        let ticks = |number: usize| {
            rest.split_whitespace().nth(number).and_then(|text| text.parse::<f64>().ok())
        };
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.storage);
    }
}
