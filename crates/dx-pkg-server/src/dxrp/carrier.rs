//! The carriers: the body of a request and its response, and a connection after an upgrade.

use super::answer::answer;
use super::asker::Asker;
use super::out::{Gone, Out};
use super::packages::{self, Asked};
use super::request::{Request, Requests, refusal};
use crate::access::{self, Caller};
use crate::dxrp::Dxrp;
use crate::failure::Failure;
use axum::body::Body;
use bytes::Bytes;
use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_format::dxrp::{Reason, Refusal, Trouble};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The bytes that are read at a time.
const READ: usize = 16 << 10;

/// Reads one request from a body, and returns the body of its response.
pub(crate) fn response(state: Arc<Dxrp>, asker: Asker, body: Body) -> Body {
    let (mut out, receiver) = Out::body();
    tokio::spawn(async move {
        state.counters.requested();
        let time = state.config.limits.body_time.0;
        let request = match timeout(time, read_body(&state, body)).await {
            Ok(request) => request,
            Err(_) => Err(refusal(Trouble::Malformed, "the request took too long to arrive")),
        };
        // Whoever has gone is told nothing.
        let _ = answer(&state, &asker, request, &mut out).await;
    });
    Body::new(Pieces(receiver))
}

async fn read_body(state: &Dxrp, mut body: Body) -> Result<Request, Refusal> {
    let malformed = |message: &str| refusal(Trouble::Malformed, message);
    let mut requests = Requests::default();
    let mut request = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| malformed("the request breaks off"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        requests.feed(&bytes, &state.work)?;
        if request.is_none() {
            request = requests.next()?;
        }
        if request.is_some() && !requests.is_empty() {
            return Err(malformed("bytes follow the END of the request"));
        }
    }
    request.ok_or_else(|| malformed("the request ends before its END"))
}

/// A body whose pieces come through a channel.
struct Pieces(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Answers requests on a connection, one after the other, until the client closes it, says
/// something wrong, or nothing for too long, or until `stopped` between two requests. `asker` finds
/// out who asks, for each request anew.
pub(crate) async fn connection<A>(
    state: &Arc<Dxrp>,
    connection: impl AsyncRead + AsyncWrite + Unpin + Send,
    mut stopped: watch::Receiver<bool>,
    asker: impl Fn() -> A,
) where
    A: Future<Output = Result<Asker, Failure>>,
{
    let mut connection = connection;
    let mut requests = Requests::default();
    let mut buffer = vec![0; READ];
    loop {
        let reading = read_request(state, &mut connection, &mut requests, &mut buffer);
        let request = tokio::select! {
            request = reading => request,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let request = match request {
            Ok(Some(request)) => Ok(request),
            Ok(None) => return,
            Err(refusal) => Err(refusal),
        };
        state.counters.requested();
        let goes_on = request.is_ok();
        let request = match asker().await {
            Ok(asker) => request.map(|request| (asker, request)),
            Err(failure) => Err(refusal(Trouble::Refused, failure.message)),
        };
        let mut out = Out::connection(&mut connection);
        let answered: Result<(), Gone> = match request {
            Ok((asker, request)) => answer(state, &asker, Ok(request), &mut out).await,
            Err(refusal) => {
                let nobody = Asker::nobody();
                answer(state, &nobody, Err(refusal), &mut out).await
            }
        };
        if answered.is_err() || !goes_on {
            return;
        }
    }
}

/// Reads the next request of a connection; `None` where there is none.
async fn read_request(
    state: &Dxrp,
    connection: &mut (impl AsyncRead + Unpin),
    requests: &mut Requests,
    buffer: &mut [u8],
) -> Result<Option<Request>, Refusal> {
    let limits = &state.config.limits;
    let idle = state.config.dxrp.idle.0;
    let begin = tokio::time::Instant::now();
    loop {
        if let Some(request) = requests.next()? {
            return Ok(Some(request));
        }
        // A request has as long as a body has, and the pause before it as long as is configured.
        let rest = match requests.is_empty() {
            true => idle,
            false => limits.body_time.0.saturating_sub(begin.elapsed()).min(idle),
        };
        match timeout(rest, connection.read(buffer)).await {
            Ok(Ok(length)) if length > 0 => {
                requests.feed(buffer.get(..length).unwrap_or_default(), &state.work)?;
            }
            _ if requests.is_empty() => return Ok(None),
            Ok(_) => return Ok(None),
            Err(_) => {
                return Err(refusal(Trouble::Malformed, "the request took too long to arrive"));
            }
        }
    }
}

/// A package as a document.
pub(crate) struct Document {
    /// The frames of its message.
    pub(crate) frames: Bytes,
    /// Whether not everybody may have it.
    pub(crate) is_private: bool,
}

/// Returns the document of a package that was sent before.
///
/// # Errors
/// 404 where it was not, or where the caller may not have it; 403 where the policy refuses it.
pub(crate) async fn document(
    state: &Dxrp,
    caller: &Caller,
    id: PackageId,
) -> Result<Document, Failure> {
    let unknown = || Failure::not_found("this registry has not sent a package of this id");
    let signing = state.signing().await?;
    let found = state.packs.find(id, signing).await?;
    let packed = match found.ok_or_else(unknown)? {
        Ok(packed) => packed,
        Err(Reason::TooLarge) => return Err(Failure::not_found("this package is too large")),
        Err(_) => return Err(unknown()),
    };
    let (name, version) = packed.label().ok_or_else(unknown)?;
    let name = PackageName::parse(name).map_err(Failure::internal)?;
    let asked = Asked { id, version: version.to_owned(), name };
    packages::find(state, caller, &asked).await?;
    let is_private = access::is_private(state, &asked.name).await?;
    Ok(Document { frames: packed.frames, is_private })
}
