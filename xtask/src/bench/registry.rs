//! The cost of the recorded registry itself: processor time for a packument, a megabyte and a
//! connection.

use super::server::Server;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The connections that are open at once, more than any manager opens.
const CONNECTIONS: usize = 2000;
/// The packuments and tarballs to request, each as often as it takes for a steady figure.
const KINDS: usize = 200;
const ROUNDS: usize = 5;

/// A figure: its name and seconds.
pub(crate) type Figure = (String, f64);

/// Measures a server over plain connections, then one over TLS.
pub(crate) fn measure(data: &Path) -> Result<Vec<Figure>, String> {
    let documents = paths(&data.join("documents"), ".abbreviated.json");
    let tarballs = paths(&data.join("tarballs"), ".tgz");
    if documents.is_empty() || tarballs.is_empty() {
        return Err(format!("{}: nothing is recorded there", data.display()));
    }
    super::server::raise_descriptors();
    let mut figures = Vec::new();
    for (tls, name) in [(false, "plain"), (true, "tls")] {
        let mut server = Server::start(data, tls)?;
        let client = Client::new(&server)?;
        // Read from disk and packed only once.
        client.ask_all(&documents)?;
        client.ask_all(&tarballs)?;
        let asked = (ROUNDS * documents.len()) as f64;
        let (cpu, _, _) = cost(&mut server, || rounds(&client, &documents))?;
        figures.push((format!("{name}-packument"), cpu / asked));
        let (cpu, _, bytes) = cost(&mut server, || rounds(&client, &tarballs))?;
        figures.push((format!("{name}-megabyte"), cpu / (bytes as f64 / 1e6)));
        let (cpu, wall, _) = cost(&mut server, || client.ask_at_once(&documents[0]))?;
        figures.push((format!("{name}-connection"), cpu / CONNECTIONS as f64));
        figures.push((format!("{name}-{CONNECTIONS}-connections-at-once"), wall));
    }
    Ok(figures)
}

/// The server's processor time for some work, the time it took, and the bytes it sent.
fn cost(
    server: &mut Server,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(f64, f64, u64), String> {
    let (before, cpu_before) = server.counts()?;
    let started = Instant::now();
    work()?;
    let wall = started.elapsed().as_secs_f64();
    let (after, cpu_after) = server.counts()?;
    Ok((cpu_after - cpu_before, wall, after.since(&before).bytes_sent))
}

fn rounds(client: &Client, paths: &[String]) -> Result<(), String> {
    (0..ROUNDS).try_for_each(|_| client.ask_all(paths))
}

/// The paths of recorded files that end so, as they are asked for.
fn paths(folder: &Path, end: &str) -> Vec<String> {
    fn visit(folder: &Path, prefix: &str, end: &str, found: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}/{name}");
            if entry.path().is_dir() {
                visit(&entry.path(), &path, end, found);
            } else if path.ends_with(end) && found.len() < KINDS {
                found.push(path.trim_end_matches(".abbreviated.json").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    visit(folder, "", end, &mut found);
    found
}

/// A connection that is asked one thing after the other.
type Connection = BufReader<Box<dyn Stream>>;

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A client.
struct Client {
    address: String,
    tls: Option<Arc<ClientConfig>>,
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("ask the recorded registry: {error}")
}

impl Client {
    fn new(server: &Server) -> Result<Client, String> {
        let address =
            server.url().split("://").last().unwrap_or_default().trim_end_matches('/').to_owned();
        let Some(authority) = server.authority() else {
            return Ok(Client { address, tls: None });
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).map_err(failed)?).map_err(failed)?;
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(failed)?
                .with_root_certificates(roots)
                .with_no_client_auth();
        Ok(Client { address, tls: Some(Arc::new(config)) })
    }

    fn connect(&self) -> Result<Connection, String> {
        let stream = TcpStream::connect(&self.address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let Some(config) = &self.tls else {
            return Ok(BufReader::new(Box::new(stream)));
        };
        let name = ServerName::try_from("127.0.0.1").map_err(failed)?;
        let session = ClientConnection::new(Arc::clone(config), name).map_err(failed)?;
        Ok(BufReader::new(Box::new(StreamOwned::new(session, stream))))
    }

    /// Asks for everything over one connection.
    fn ask_all(&self, paths: &[String]) -> Result<(), String> {
        let mut connection = self.connect()?;
        for path in paths {
            send(&mut connection, path)?;
            receive(&mut connection)?;
        }
        Ok(())
    }

    /// Asks for one thing over many connections, all of which are open before the first is asked.
    fn ask_at_once(&self, path: &str) -> Result<(), String> {
        let mut connections: Vec<Connection> =
            (0..CONNECTIONS).map(|_| self.connect()).collect::<Result<_, _>>()?;
        connections.iter_mut().try_for_each(|connection| send(connection, path))?;
        connections.iter_mut().try_for_each(|connection| receive(connection).map(drop))
    }
}

fn send(connection: &mut Connection, path: &str) -> Result<(), String> {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: registry\r\naccept: application/vnd.npm.install-v1+json\r\naccept-encoding: gzip\r\n\r\n"
    );
    let stream = connection.get_mut();
    stream.write_all(head.as_bytes()).and_then(|()| stream.flush()).map_err(failed)
}

/// Reads one answer; how long its body was.
fn receive(connection: &mut Connection) -> Result<usize, String> {
    let (mut length, mut line) = (0, String::new());
    connection.read_line(&mut line).map_err(failed)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(failed(line.trim()));
    }
    while line.trim() != "" {
        line.clear();
        connection.read_line(&mut line).map_err(failed)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(failed)?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).map_err(failed)?;
    Ok(length)
}
