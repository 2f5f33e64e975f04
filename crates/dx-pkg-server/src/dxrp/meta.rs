//! Packuments, many in one request.

use super::asker::{Asker, Stop};
use super::out::Out;
use super::request::refusal;
use super::running::Running;
use crate::access;
use crate::dxrp::Dxrp;
use crate::failure::Failure;
use crate::packument::Form;
use crate::storage::blocking;
use axum::http::StatusCode;
use dx_pkg_core::PackageName;
use dx_pkg_format::dxrp::{Kind, MetaAnswer, MetaOutcome, MetaQuestion, Trouble};
use std::sync::Arc;

/// The most packuments of a request.
const MOST: usize = 20_000;
/// The packuments that are looked up at a time.
const AHEAD: usize = 16;

/// Answers questions for packuments; returns how many messages that were.
pub(super) async fn send(
    state: &Arc<Dxrp>,
    asker: &Asker,
    (questions, full): (Vec<MetaQuestion>, bool),
    out: &mut Out<'_>,
) -> Result<u32, Stop> {
    if questions.len() > MOST {
        let message = format!("a request names at most {MOST} packuments");
        return Err(Stop::Refused(refusal(Trouble::TooMuch, message)));
    }
    let form = if full { Form::Full } else { Form::Abbreviated };
    let mut questions = questions.into_iter();
    let mut next = || {
        let question = questions.next()?;
        let (state, asker) = (Arc::clone(state), asker.clone());
        Some(async move {
            let answered = outcome(&state, &asker, &question, form).await;
            let outcome = answered.unwrap_or_else(|failure| outcome_of(&failure));
            MetaAnswer { name: question.name, outcome }
        })
    };
    let mut sent = 0;
    let mut running = Running::new(AHEAD);
    while let Some(mut answer) = running.next(out, &mut next).await? {
        let mut message = answer.encode();
        if message.len() as u64 > Kind::Meta.most() {
            answer.outcome = MetaOutcome::Unavailable;
            message = answer.encode();
        }
        out.send(Kind::Meta, &message).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn outcome(
    state: &Dxrp,
    asker: &Asker,
    question: &MetaQuestion,
    form: Form,
) -> Result<MetaOutcome, Failure> {
    let name = PackageName::parse(&question.name);
    let name = name.map_err(|error| Failure::not_found(error.to_string()))?;
    let document = state.packages.read(&name).await?;
    access::may_read(state, &asker.caller, &name, document.value.as_deref()).await?;
    let loaded = state.metadata.load(state, &name, form, &asker.base).await?;
    let etag = format!("\"dxm-{:016x}\"", loaded.packument.checksum());
    if etag == question.etag {
        return Ok(MetaOutcome::NotModified);
    }
    let unpacked = u32::try_from(loaded.packument.as_bytes().len()).map_err(Failure::internal)?;
    let packument = blocking(move || loaded.compressed()).await?;
    let packument = packument.ok_or_else(|| Failure::internal("a packument is not compressed"))?;
    // As over HTTP: kept by clients, and asked for again each time.
    let fresh_for_ms = 0;
    let full = form == Form::Full;
    let packument = packument.to_vec();
    Ok(MetaOutcome::Modified { etag, fresh_for_ms, full, unpacked, packument })
}

fn outcome_of(failure: &Failure) -> MetaOutcome {
    match failure.status {
        StatusCode::NOT_FOUND => MetaOutcome::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => MetaOutcome::Refused,
        _ => MetaOutcome::Unavailable,
    }
}
