//! `cargo xtask bench serve`: the recorded registry in a process of its own, told what to do by
//! lines of its input.
//!
//! The first line that it prints is its URL. Then each line it reads is answered by one: `counts`
//! by the counts so far and the processor time in JSON, `network NAME` by an empty object. It ends
//! with its input.

use super::networks;
use super::through::Through;
use crate::options::Options;
use dx_pkg_testkit::replay::{Counts, Network, Replay, ReplayOptions};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The file descriptors a server wants: one a connection.
#[cfg(unix)]
const DESCRIPTORS: u64 = 8192;

/// Serves until the input ends.
pub(crate) fn serve(options: &Options, upstream: Option<String>) -> Result<(), String> {
    let folder = super::data(options)?;
    let port =
        u16::try_from(options.number("port", 0)?).map_err(|_| "--port: above 65535".to_owned())?;
    let network = networks::find(options.value("network").unwrap_or("none"))?;
    raise_descriptors();
    let replay =
        ReplayOptions { folder: folder.clone(), port, network, tls: options.has("tls"), upstream };
    let replay =
        Replay::start(&replay).map_err(|error| format!("start the recorded registry: {error}"))?;
    if let Some(authority) = replay.authority() {
        crate::dx::write(&authority_file(&folder), authority)?;
    }
    let through = match options.has("through-dx-registry") {
        true => Some(Through::start(options, &folder, replay.url())?),
        false => None,
    };
    if let Some(through) = &through {
        replay.set_network(Network::default());
        through.set_network(network);
    }
    let url = through.as_ref().map_or_else(|| replay.url().to_owned(), Through::url);
    let stdout = std::io::stdout();
    let mut out = stdout.lock();
    let failed = |error: std::io::Error| format!("serve: {error}");
    writeln!(out, "{url}").and_then(|()| out.flush()).map_err(failed)?;
    for line in std::io::stdin().lines() {
        let line = line.map_err(failed)?;
        let answer = match line.split_once(' ') {
            Some(("network", name)) => {
                let network = networks::find(name)?;
                match &through {
                    Some(through) => through.set_network(network),
                    None => replay.set_network(network),
                }
                json!({})
            }
            _ => match &through {
                Some(through) => counts_json(&through.counts(), through.processor_time()),
                None => counts_json(&replay.counts(), processor_time()),
            },
        };
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(failed)?;
    }
    Ok(())
}

fn counts_json(counts: &Counts, cpu: f64) -> Value {
    json!({
        "connections": counts.connections,
        "metadata_requests": counts.metadata_requests,
        "tarball_requests": counts.tarball_requests,
        "other_requests": counts.other_requests,
        "bytes_received": counts.bytes_received,
        "bytes_sent": counts.bytes_sent,
        "cpu": cpu,
    })
}

/// The file that managers read the certificate of the server's authority from.
fn authority_file(data: &Path) -> PathBuf {
    data.join("authority.pem")
}

#[cfg(unix)]
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Lets this process have as many connections as it wants, as far as it may.
#[cfg(unix)]
pub(crate) fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
    // With fewer, connections wait to be accepted.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
}

#[cfg(not(unix))]
fn processor_time() -> f64 {
    0.0
}

#[cfg(not(unix))]
pub(crate) fn raise_descriptors() {}

/// A server that this process started.
pub(crate) struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
    authority: Option<PathBuf>,
}

impl Server {
    /// Starts one that answers what was recorded.
    pub(crate) fn start(data: &Path, tls: bool) -> Result<Server, String> {
        let arguments = if tls { vec![OsString::from("--tls")] } else { Vec::new() };
        Server::start_as("serve", data, tls, &arguments)
    }

    /// Starts one with dx-registry before it.
    pub(crate) fn start_through(data: &Path, options: &Options) -> Result<Server, String> {
        let mut arguments = vec![OsString::from("--through-dx-registry")];
        for name in ["dx", "dx-registry"] {
            if let Some(path) = options.path(name)? {
                arguments.extend([format!("--{name}").into(), path.into()]);
            }
        }
        Server::start_as("serve", data, false, &arguments)
    }

    /// Starts one that asks the configured registry for what was not recorded, and records it.
    pub(crate) fn start_recording(data: &Path) -> Result<Server, String> {
        Server::start_as("serve-recording", data, false, &[])
    }

    fn start_as(
        part: &str,
        data: &Path,
        tls: bool,
        arguments: &[OsString],
    ) -> Result<Server, String> {
        let program = std::env::current_exe().map_err(|error| format!("find xtask: {error}"))?;
        let mut command = Command::new(program);
        command.args(["bench", part, "--data"]).arg(data).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            command.spawn().map_err(|error| format!("start the recorded registry: {error}"))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the recorded registry has no pipes".to_owned());
        };
        let mut server = Server {
            process,
            input: Some(input),
            output: BufReader::new(output),
            url: String::new(),
            authority: tls.then(|| authority_file(data)),
        };
        server.url = server.line()?;
        Ok(server)
    }

    /// Its URL, with a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file with its authority's certificate, where it speaks TLS.
    pub(crate) fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// Changes the network.
    pub(crate) fn set_network(&mut self, name: &str) -> Result<(), String> {
        self.ask(&format!("network {name}")).map(drop)
    }

    /// Returns the traffic so far and the server's processor time in seconds.
    pub(crate) fn counts(&mut self) -> Result<(Counts, f64), String> {
        let answer = self.ask("counts")?;
        let number = |name: &str| answer[name].as_u64().unwrap_or(0);
        let counts = Counts {
            connections: number("connections"),
            metadata_requests: number("metadata_requests"),
            tarball_requests: number("tarball_requests"),
            other_requests: number("other_requests"),
            bytes_received: number("bytes_received"),
            bytes_sent: number("bytes_sent"),
        };
        Ok((counts, answer["cpu"].as_f64().unwrap_or(0.0)))
    }

    fn ask(&mut self, question: &str) -> Result<Value, String> {
        let input = self.input.as_mut().ok_or("the recorded registry was stopped")?;
        writeln!(input, "{question}").map_err(|error| format!("the recorded registry: {error}"))?;
        serde_json::from_str(&self.line()?)
            .map_err(|error| format!("the recorded registry: {error}"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read = self
            .output
            .read_line(&mut line)
            .map_err(|error| format!("the recorded registry: {error}"))?;
        if read == 0 {
            Err("the recorded registry ended".to_owned())
        } else {
            Ok(line.trim_end().to_owned())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
