//! Accepts connections and answers on each, one thread per connection.

use super::{Shared, answer};
use crate::dxrp::{DxrpCarrier, tarball_of};
use crate::fault::{Fault, Rule};
use crate::http::{Answer, RecordedRequest};
use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The media type of what HTTP carries of DXRP.
const MEDIA_TYPE: &str = "application/vnd.dxrp";
/// The path below which DXRP is spoken.
const DXRP: &str = "/-/dxrp/";

/// The open connections, so that the registry can be stopped.
#[derive(Debug, Default)]
pub(super) struct Connections {
    accepted: AtomicUsize,
    closed: AtomicBool,
    /// By their numbers, in the order of their acceptance.
    streams: Mutex<HashMap<usize, TcpStream>>,
}

impl Connections {
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Ends the accepting thread and shuts every connection down; returns when the port is free.
    pub(super) fn close(&self, port: u16) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        for (_, stream) in self.streams.lock().unwrap().drain() {
            // Already closed by the client: nothing to shut down.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // The accepting thread wakes on a connection, and drops the listener when it sees `closed`.
        while TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_millis(200))
            .is_ok()
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Accepts until the registry is stopped.
pub(super) fn accept_in_background(listener: TcpListener, shared: Arc<Shared>) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.connections.is_closed() {
                return;
            }
            let Ok(stream) = stream else { continue };
            let number = shared.connections.accepted.fetch_add(1, Ordering::SeqCst);
            let copy = stream.try_clone().map(|copy| (number, copy));
            shared.connections.streams.lock().unwrap().extend(copy);
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                // A client that goes away in the middle is part of what tests do.
                let _ = converse(&stream, &shared);
                let _ = stream.shutdown(Shutdown::Both);
                shared.connections.streams.lock().unwrap().remove(&number);
            });
        }
    });
}

/// Answers requests on one connection until either side ends it.
fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = RecordedRequest::read(&mut reader)? {
        if request.path.starts_with(DXRP) {
            shared.dxrp_questions.fetch_add(1, Ordering::SeqCst);
            match speak_dxrp(stream, &mut reader, shared, &request)? {
                true => continue,
                false => break,
            }
        }
        shared.log.lock().unwrap().push(request.clone());
        let flying = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_in_flight.fetch_max(flying, Ordering::SeqCst);
        let outcome = respond(stream, shared, &request);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !outcome? {
            break;
        }
    }
    Ok(())
}

/// Answers a request for DXRP; `false` when the connection is to be closed.
fn speak_dxrp(
    mut stream: &TcpStream,
    reader: &mut BufReader<&TcpStream>,
    shared: &Shared,
    request: &RecordedRequest,
) -> io::Result<bool> {
    let peer = shared.peer.lock().unwrap().clone();
    let Some(peer) = peer else {
        let answer = Answer::json(404, r#"{"error":"Not found"}"#);
        answer.write(&mut stream, answer.body.len())?;
        return Ok(true);
    };
    if peer.is_silent() {
        return wait_for_the_end(shared);
    }
    let refused = shared.options.lock().unwrap().authorization.clone();
    if refused.is_some() && request.header("authorization") != refused.as_deref() {
        let answer = Answer::json(401, r#"{"error":"authentication required"}"#);
        answer.write(&mut stream, answer.body.len())?;
        return Ok(true);
    }
    let packages =
        |name: &str, version: &str| tarball_of(shared.packages.lock().unwrap().get(name), version);
    if request.method == "POST" {
        if request.header("content-type") != Some(MEDIA_TYPE) {
            let answer = Answer::json(415, r#"{"error":"this is no request of DXRP"}"#);
            answer.write(&mut stream, answer.body.len())?;
            return Ok(true);
        }
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {MEDIA_TYPE}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        peer.converse(&mut request.body.as_slice(), &mut stream, packages, true)?;
        return Ok(false);
    }
    if peer.carrier() == DxrpCarrier::Raw && request.header("upgrade") == Some("dxrp/1") {
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: dxrp/1\r\n\r\n")?;
        peer.converse(reader, &mut stream, packages, false)?;
        return Ok(false);
    }
    let answer = Answer::json(200, r#"{"dxrp":1}"#);
    answer.write(&mut stream, answer.body.len())?;
    Ok(true)
}

/// Answers one request, faults included; `false` when the connection is to be closed.
fn respond(mut stream: &TcpStream, shared: &Shared, request: &RecordedRequest) -> io::Result<bool> {
    let path = answer::decoded_path(&request.path);
    let mut full_packument = false;
    let mut struck = None;
    for rule in matching(shared, &path) {
        match &rule.fault {
            Fault::Delay(time) => thread::sleep(*time),
            Fault::FullPackument => full_packument = true,
            other => {
                struck = Some(other.clone());
                break;
            }
        }
    }
    let mut answer = answer::answer(shared, request, &path, full_packument);
    match struck {
        None | Some(Fault::Delay(_) | Fault::FullPackument) => {}
        Some(Fault::Status { code, headers, body }) => {
            answer = Answer::json(code, body);
            answer.headers.extend(headers);
        }
        Some(Fault::Body(body)) => answer = Answer::json(200, body),
        Some(Fault::Redirect(base)) => {
            let location = format!("{}{}", base.trim_end_matches('/'), request.path);
            answer = Answer::new(302, "").header("location", location);
        }
        Some(Fault::WrongBytes) => {
            let middle = answer.body.len() / 2;
            if let Some(byte) = answer.body.get_mut(middle) {
                *byte ^= 1;
            }
        }
        Some(Fault::Drop) => return Ok(false),
        Some(Fault::Truncate) => {
            answer.write(&mut stream, answer.body.len() / 2)?;
            return Ok(false);
        }
        Some(Fault::Stall) => return wait_for_the_end(shared),
        Some(Fault::StallBody) => {
            answer.write(&mut stream, answer.body.len() / 2)?;
            return wait_for_the_end(shared);
        }
    }
    let body = if request.method == "HEAD" { 0 } else { answer.body.len() };
    answer.write(&mut stream, body)?;
    Ok(true)
}

/// The rules that strike this request, up to the first that decides the answer.
fn matching(shared: &Shared, path: &str) -> Vec<Arc<Rule>> {
    let mut struck = Vec::new();
    for rule in shared.rules.lock().unwrap().iter() {
        if rule.strikes(path) {
            struck.push(Arc::clone(rule));
            if !matches!(rule.fault, Fault::Delay(_) | Fault::FullPackument) {
                break;
            }
        }
    }
    struck
}

fn wait_for_the_end(shared: &Shared) -> io::Result<bool> {
    while !shared.connections.is_closed() {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}
