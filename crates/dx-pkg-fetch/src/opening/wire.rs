//! Opens TLS on connections that one thread reads and writes.

use crate::config::FetchConfig;
use crate::error::{FetchCause, Phase};
use crate::stream::upgrade::{IsWanted, LOOK};
use crate::stream::wire::Wire;
use crate::text::redact_text;
use crate::tls::{self, ClientCertificate};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use url::Url;

/// The configurations of TLS by the certificate that is shown to the server, each made when it is
/// needed first: reading the authorities takes milliseconds.
#[derive(Default)]
pub(crate) struct Secure(Mutex<HashMap<Option<ClientCertificate>, Arc<ClientConfig>>>);

impl Secure {
    /// Returns the connection over a socket that is connected to the server of `url`, with TLS
    /// where it is `https:`.
    pub(crate) fn wire(
        &self,
        config: &FetchConfig,
        url: &Url,
        socket: TcpStream,
        is_wanted: &IsWanted,
    ) -> Result<Wire, FetchCause> {
        let broken = |error: io::Error| FetchCause::Connect { reason: error.to_string() };
        socket.set_nodelay(true).map_err(broken)?;
        socket.set_read_timeout(Some(LOOK)).map_err(broken)?;
        if url.scheme() != "https" {
            return Ok(Wire::Plain(socket));
        }
        socket.set_write_timeout(Some(config.timeouts.connect)).map_err(broken)?;
        let refused = |reason: &dyn ToString| FetchCause::Connect {
            reason: redact_text(&reason.to_string()),
        };
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| refused(&error))?;
        let settings = self.config(config, url)?;
        let connection = ClientConnection::new(settings, name).map_err(|error| refused(&error))?;
        let mut stream = StreamOwned::new(connection, socket);
        let began = Instant::now();
        while stream.conn.is_handshaking() {
            match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    let limit = config.timeouts.connect;
                    if began.elapsed() > limit {
                        return Err(FetchCause::Timeout { phase: Phase::Connect, limit });
                    }
                    if !is_wanted() {
                        return Err(refused(&ErrorKind::ConnectionAborted));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        Ok(Wire::Secure(Box::new(stream)))
    }

    fn config(&self, config: &FetchConfig, url: &Url) -> Result<Arc<ClientConfig>, FetchCause> {
        let identity = config.client_certificates.as_ref().and_then(|choose| choose(url));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(&identity) {
            return Ok(Arc::clone(config));
        }
        let made = Arc::new(tls::with_settings(&config.tls, identity.as_ref())?);
        known.insert(identity, Arc::clone(&made));
        Ok(made)
    }
}
