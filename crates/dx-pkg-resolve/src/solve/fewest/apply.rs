//! Resolves with the versions that were chosen, and checks what comes of it.

use dx_pkg_lock::Lock;

use super::gather::{Source, gather};
use super::problem::Selection;
use super::score::{Aim, Fewer, Score, steps};
use super::search::{Over, search};
use super::single::several;
use super::trial::Trial;
use crate::pick::Picker;
use crate::{Options, Provider, Requirements, Resolution, ResolveError, resolve_once};

/// Resolves `requirements` with the fewest versions of packages, or the fewest outdated ones.
/// `is_over` tells whether so many shares of the time are used up, of which the search takes at
/// most four; the best that was found until then counts.
///
/// The result is one of npm's rules with other versions chosen within the same ranges. It has no
/// peer conflict more than that without the choice, which is returned where nothing is better.
///
/// # Errors
/// As [`crate::resolve`], whose result is the start of the search.
pub fn minimise(
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
    aim: Aim,
    is_over: &dyn Fn(u32) -> bool,
) -> Result<(Resolution, Fewer), ResolveError> {
    let base = crate::resolve(requirements, previous, provider, options)?;
    let renewed = (aim == Aim::Newest)
        .then(|| resolve_once(requirements, None, provider, options).ok())
        .flatten();
    let picker = Picker::new(options.pick.clone());
    let trial = Trial { requirements, provider, options };
    let mut best = Best { aim, score: Score::of(&base.lock, aim, provider), resolution: None };
    let before = best.score;
    if let Some(renewed) = &renewed {
        best.take_better(renewed.clone(), &trial, &base);
    }
    let start = best.resolution.clone();
    let start = start.as_ref().unwrap_or(&base);
    let source = Source {
        lock: &start.lock,
        other: Some(&base.lock).filter(|_| renewed.is_some()),
        previous,
        requirements,
        provider,
        picker: &picker,
        options,
        importer: None,
    };
    let mut is_complete = false;
    if let Some(mut problem) = gather(&source) {
        for keeps_peers in [false, true] {
            if keeps_peers {
                problem.keep_peers();
            }
            let found = search(&problem, aim, Over { is_over, used: 2 * u32::from(keeps_peers) });
            is_complete = found.is_best;
            let lowest = best.score;
            let count = |selection: &Selection| selection.iter().map(Vec::len).sum::<usize>();
            let saved = count(&problem.present()).saturating_sub(count(&found.selection));
            for candidate in trial.resolutions(&problem, &found.selection, &start.lock) {
                best.take_better(candidate, &trial, &base);
                if aim == Aim::Fewest && best.score.versions + saved <= lowest.versions {
                    break;
                }
            }
            if best.score != lowest || found.selection == problem.present() {
                break;
            }
        }
    }
    let after = best.score;
    let Some(mut found) = best.resolution else {
        return Ok((base, Fewer { before, after, steps: Vec::new(), is_complete }));
    };
    found.changed = previous.is_none_or(|previous| *previous != found.lock);
    let steps = steps(&base.lock, &found.lock);
    Ok((found, Fewer { before, after, steps, is_complete }))
}

/// The best resolution so far, `None` being the one to start from.
struct Best {
    aim: Aim,
    score: Score,
    resolution: Option<Resolution>,
}

impl Best {
    /// Takes a resolution if it is better and has nothing to complain of that `base` has not.
    fn take_better(&mut self, resolution: Resolution, trial: &Trial<'_>, base: &Resolution) {
        let score = Score::of(&resolution.lock, self.aim, trial.provider);
        if score.key(self.aim) < self.score.key(self.aim)
            && trial.is_clean(&resolution, base)
            && several(&resolution.lock, trial.requirements).is_empty()
        {
            (self.score, self.resolution) = (score, Some(resolution));
        }
    }
}
