//! The answer to a request.

use super::asker::{Asker, Stop};
use super::divide::digest;
use super::meta;
use super::out::{Gone, Out};
use super::packages::{self, Asked};
use super::packs::Packed;
use super::plan::{Computed, Entry, Planned, Question};
use super::request::{Request, refusal};
use super::running::Running;
use crate::access;
use crate::dxrp::Dxrp;
use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_format::dxrp::{
    Choice, End, Held, Hello, Kind, Missing, Reason, Refusal, ServerKey, Trouble, Want, Wanted,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// The most packages that are brought and converted for a stream at a time.
const AHEAD: usize = 8;
/// What a package counts as whose size is not known yet, in bytes.
const UNKNOWN_SIZE: u64 = 24 << 10;
/// The most packages of a request.
const MOST_PACKAGES: usize = 200_000;

/// A package that is wanted; `None` for a name or version that no package has.
type Wish = (PackageId, Option<Asked>);

/// Answers a request, or tells why it is refused.
pub(super) async fn answer(
    state: &Arc<Dxrp>,
    asker: &Asker,
    request: Result<Request, Refusal>,
    out: &mut Out<'_>,
) -> Result<(), Gone> {
    let answered = match request {
        Ok(request) => whole(state, asker, request, out).await,
        Err(refusal) => greet(state, out).await.and(Err(Stop::Refused(refusal))),
    };
    match answered {
        Ok(()) => out.flush().await,
        Err(Stop::Gone) => Err(Gone),
        Err(Stop::Refused(refusal)) => {
            state.counters.refused();
            out.send(Kind::Error, &refusal.encode()).await?;
            out.flush().await
        }
    }
}

async fn greet(state: &Dxrp, out: &mut Out<'_>) -> Result<(), Stop> {
    out.send(Kind::Hello, &Hello::new(super::CAPABILITIES).encode()).await?;
    let point = state.signing().await?.point();
    Ok(out.send(Kind::Key, &ServerKey { point }.encode()).await?)
}

async fn whole(
    state: &Arc<Dxrp>,
    asker: &Asker,
    mut request: Request,
    out: &mut Out<'_>,
) -> Result<(), Stop> {
    greet(state, out).await?;
    let plan = match request.plan.is_some() {
        true => {
            // The client knows that it is understood, while the plan is made.
            out.flush().await?;
            let begin = Instant::now();
            let (bytes, base) =
                (std::mem::take(&mut request.plan_bytes).into(), Arc::clone(&asker.base));
            let (computed, was_kept) = state.plans.answer(state, Question { bytes, base }).await;
            may_have(state, asker, &computed).await?;
            state.metrics.planned(begin.elapsed(), was_kept);
            Some(computed)
        }
        false => None,
    };
    let planned = match &plan {
        Some(computed) => Some(computed.outcome.as_ref().map_err(Clone::clone)?),
        None => None,
    };
    let part = request.want.as_ref().map_or(0, |want| want.part);
    if let Some(planned) = planned.filter(|_| part == 0) {
        out.send_encoded(planned.frames.clone()).await?;
        out.flush().await?;
    }
    let mut end = End::default();
    if let Some(want) = &request.want {
        let wanted = wanted(state, asker, want, planned).await?;
        let held = match request.capabilities().delta {
            true => want.held.as_slice(),
            false => &[],
        };
        end.packages = send_packages(state, asker, (want, held, wanted), out).await?;
    }
    if let Some(questions) = request.meta {
        end.packuments = meta::send(state, asker, questions, out).await?;
    }
    Ok(out.send(Kind::End, &end.encode()).await?)
}

/// Checks that the caller may read every package that a plan rests on, whoever else has asked for
/// it.
async fn may_have(state: &Dxrp, asker: &Asker, computed: &Computed) -> Result<(), Refusal> {
    for rest in computed.rests.iter().filter(|rest| rest.is_hosted) {
        let refused = || {
            refusal(Trouble::Refused, "the plan has a package that you may not read, or do not see")
        };
        let document = state.packages.read(&rest.name).await.map_err(|_| refused())?;
        let may = access::may_read(state, &asker.caller, &rest.name, document.value.as_deref());
        may.await.map_err(|_| refused())?;
    }
    Ok(())
}

/// Sends this stream's share of the packages; returns how many messages that were.
async fn send_packages(
    state: &Arc<Dxrp>,
    asker: &Asker,
    (want, held, wanted): (&Want, &[Held], Vec<Wish>),
    out: &mut Out<'_>,
) -> Result<u32, Stop> {
    let held: HashMap<PackageId, &Held> = held.iter().map(|held| (held.wanted, held)).collect();
    let held_of = |asked: &Asked| {
        let held = held.get(&asked.id).filter(|held| held.id != asked.id)?;
        Some(Asked { id: held.id, name: asked.name.clone(), version: held.version.clone() })
    };
    let ids = wanted.iter().map(|wanted| wanted.0);
    let common = digest(want.parts, ids);
    let size = |id| size_of(state, id, held.get(&id).map(|held| held.id));
    let sizes = || wanted.iter().map(|(id, _)| size(*id)).collect();
    let division = state.divisions.of(common, want.parts, sizes);
    let mut sent = 0;
    let mut cold = Vec::new();
    for number in division.get(usize::from(want.part)).into_iter().flatten() {
        let Some((id, asked)) = wanted.get(*number as usize) else { continue };
        let Some(asked) = asked else {
            send_missing(*id, Reason::Unknown, state, out).await?;
            sent += 1;
            continue;
        };
        let held = held_of(asked);
        let is_known = |held: &Asked| state.deltas.get(&(held.id, asked.id)).is_some();
        if state.packs.get(*id).is_none() || !held.as_ref().is_none_or(is_known) {
            cold.push((asked.clone(), held));
            continue;
        }
        let outcome = packages::answer(state, &asker.caller, asked, held.as_ref()).await;
        send(*id, outcome, state, out).await?;
        sent += 1;
    }
    sent += send_cold(state, asker, cold, out).await?;
    Ok(sent)
}

/// Sends packages that are not in memory, as they become ready.
async fn send_cold(
    state: &Arc<Dxrp>,
    asker: &Asker,
    cold: Vec<(Asked, Option<Asked>)>,
    out: &mut Out<'_>,
) -> Result<u32, Stop> {
    let mut sent = 0;
    let mut cold = cold.into_iter();
    let mut next = || {
        let (asked, held) = cold.next()?;
        let (state, caller) = (Arc::clone(state), asker.caller.clone());
        Some(async move {
            let outcome = packages::answer(&state, &caller, &asked, held.as_ref()).await;
            (asked.id, outcome)
        })
    };
    let mut running = Running::new(AHEAD);
    while let Some((id, outcome)) = running.next(out, &mut next).await? {
        send(id, outcome, state, out).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn send(
    id: PackageId,
    outcome: Result<Packed, Reason>,
    state: &Dxrp,
    out: &mut Out<'_>,
) -> Result<(), Stop> {
    match outcome {
        Ok(packed) => {
            state.counters.packed(packed.frames.len(), packed.is_delta());
            Ok(out.send_encoded(packed.frames).await?)
        }
        Err(reason) => send_missing(id, reason, state, out).await,
    }
}

async fn send_missing(
    id: PackageId,
    reason: Reason,
    state: &Dxrp,
    out: &mut Out<'_>,
) -> Result<(), Stop> {
    state.counters.missing();
    Ok(out.send(Kind::Missing, &Missing { id, reason }.encode()).await?)
}

/// Returns the packages that a client wants, each once; `None` for a name or version that no
/// package has.
async fn wanted(
    state: &Dxrp,
    asker: &Asker,
    want: &Want,
    planned: Option<&Planned>,
) -> Result<Vec<Wish>, Refusal> {
    let all = match &want.choice {
        Choice::Named(named) => {
            if named.len() > MOST_PACKAGES {
                let message = format!("a request names at most {MOST_PACKAGES} packages");
                return Err(refusal(Trouble::TooMuch, message));
            }
            let asked = |wanted: &Wanted| {
                let name = PackageName::parse(&wanted.name).ok();
                let asked = |name| Asked { id: wanted.id, name, version: wanted.version.clone() };
                (wanted.id, name.map(asked))
            };
            named.iter().map(asked).collect()
        }
        Choice::OfPlan { lock, bits } => {
            let unknown = || {
                refusal(Trouble::UnknownPlan, "this registry does not know that plan (any more)")
            };
            let computed = state.plans.of_lock(lock).await.ok_or_else(unknown)?;
            // Who may not have the plan is not told that there is one.
            may_have(state, asker, &computed).await.map_err(|_| unknown())?;
            let planned = computed.outcome.as_ref().map_err(|_| unknown())?;
            let is_wanted =
                |at: usize| bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0);
            let entries = planned.entries.iter().enumerate().filter(|(at, _)| is_wanted(*at));
            entries.filter_map(|(_, entry)| listed(entry)).collect()
        }
        Choice::AllBut(filter) => {
            let without = || {
                let message = "a WANT of all of a plan needs PLAN? in the same request";
                refusal(Trouble::Malformed, message)
            };
            let entries = planned.ok_or_else(without)?.entries.iter();
            let entries = entries.filter(|entry| entry.is_installed).filter_map(listed);
            entries.filter(|(id, _)| !filter.contains(*id)).collect()
        }
    };
    let all: Vec<Wish> = all;
    let mut seen = HashSet::with_capacity(all.len());
    Ok(all.into_iter().filter(|(id, _)| seen.insert(*id)).collect())
}

fn listed(entry: &Entry) -> Option<Wish> {
    entry.package.clone().map(|asked| (asked.id, Some(asked)))
}

fn size_of(state: &Dxrp, id: PackageId, held: Option<PackageId>) -> u64 {
    let delta = held.and_then(|held| state.deltas.get(&(held, id))?);
    if let Some(delta) = delta {
        return delta.frames.len() as u64;
    }
    match state.packs.get(id) {
        Some(Ok(packed)) => packed.frames.len() as u64,
        Some(Err(_)) => 0,
        None => UNKNOWN_SIZE,
    }
}
