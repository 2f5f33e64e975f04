//! Opens connections that leave HTTP for another protocol.

mod wire;

use crate::config::FetchConfig;
use crate::error::{FetchCause, FetchError, Phase};
use crate::request::Credentials;
use crate::statistics::{Counters, Outcome, Tally};
use crate::stream::upgrade::{Connection, IsWanted, Upgrade};
use crate::text::redact_text;
use reqwest::StatusCode;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use url::Url;

pub(crate) use wire::Secure;

/// What is needed to open a connection.
pub(crate) struct Opening<'a> {
    pub(crate) config: &'a FetchConfig,
    pub(crate) counters: &'a Arc<Counters>,
    pub(crate) secure: &'a Secure,
}

impl Opening<'_> {
    /// Requests `protocol` at `url`.
    pub(crate) fn upgrade(
        &self,
        url: &Url,
        protocol: &str,
        credentials: Option<&Credentials>,
        is_wanted: IsWanted,
    ) -> Result<Upgrade, FetchError> {
        let tally = Tally::start(self.counters);
        let upgraded = self.try_upgrade(url, protocol, credentials, is_wanted);
        tally.finish(if upgraded.is_ok() { Outcome::Completed } else { Outcome::Failed });
        upgraded.map_err(|cause| FetchError::new(url, 1, cause))
    }

    fn try_upgrade(
        &self,
        url: &Url,
        protocol: &str,
        credentials: Option<&Credentials>,
        is_wanted: IsWanted,
    ) -> Result<Upgrade, FetchCause> {
        if self.config.offline {
            return Err(FetchCause::Offline);
        }
        let socket = connect(self.config, url)?;
        let broken = |error: io::Error| FetchCause::Connect { reason: error.to_string() };
        let stream = self.secure.wire(self.config, url, socket, &is_wanted)?;
        let counters = Arc::clone(self.counters);
        let count = Arc::new(move |bytes| counters.count_bytes(bytes));
        // A question has as long as a whole request.
        let idle = self.config.timeouts.idle.min(self.config.timeouts.total);
        let mut connection = Connection::new(stream, idle, count, is_wanted).map_err(broken)?;
        let authorization = credentials.and_then(|credentials| credentials(url));
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n",
            path_of(url),
            host_of(url),
        );
        let agent: String =
            self.config.user_agent.chars().filter(|c| matches!(c, ' '..='~')).collect();
        head.push_str(&format!("User-Agent: {agent}\r\n"));
        let mut head = head.into_bytes();
        if let Some(value) = authorization {
            head.extend_from_slice(b"Authorization: ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        connection.write_all(&head).and_then(|()| connection.flush()).map_err(broken)?;
        let status = connection.read_head()?;
        match status {
            StatusCode::SWITCHING_PROTOCOLS => Ok(Upgrade::Switched(connection)),
            other => Ok(Upgrade::Stayed(other)),
        }
    }
}

/// Connects to the server of `url`, at the first of its addresses that answers.
fn connect(config: &FetchConfig, url: &Url) -> Result<TcpStream, FetchCause> {
    let host = url.host_str().unwrap_or_default();
    let forbidden = || FetchCause::Forbidden { host: host.to_owned() };
    let rule = config.addresses.as_ref();
    if rule.is_some_and(|rule| !rule.admits_url(url)) {
        return Err(forbidden());
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => (bare, port)
            .to_socket_addrs()
            .map_err(|error| FetchCause::Dns { host: host.to_owned(), reason: error.to_string() })?
            .collect(),
    };
    let admitted =
        |address: &&SocketAddr| rule.is_none_or(|rule| rule.admits_address(bare, address.ip()));
    let mut failure = forbidden();
    for address in addresses.iter().filter(admitted) {
        match TcpStream::connect_timeout(address, config.timeouts.connect) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                let limit = config.timeouts.connect;
                failure = FetchCause::Timeout { phase: Phase::Connect, limit };
            }
            Err(error) => {
                failure = FetchCause::Connect { reason: redact_text(&error.to_string()) };
            }
        }
    }
    Err(failure)
}

fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests;
