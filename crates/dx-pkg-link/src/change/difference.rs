//! The difference between two trees. Pure.

use std::collections::{BTreeSet, HashSet};

use crate::LinkError;
use crate::report::ChangedPaths;
use crate::tree::{PlacementSource, Site, Sites, below, by_segments};

/// The change at a placement of the wanted tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In place already.
    Kept,
    /// Built, and exchanged with the entry in its place.
    Replaced,
    /// Built at a place where the previous tree has nothing.
    Added,
}

/// The difference between two trees.
pub(crate) struct Difference<'a> {
    /// The fate of each site of the wanted tree.
    pub(crate) fates: Vec<Fate>,
    /// The sites to be removed. Sites within them are not listed.
    pub(crate) removed: Vec<Site<'a>>,
    /// Sites of the previous tree that are replaced.
    pub(crate) replaced: Vec<Site<'a>>,
}

impl<'a> Difference<'a> {
    /// Compares two trees.
    pub(crate) fn of(previous: &Sites<'a>, next: &Sites<'a>) -> Self {
        let mut difference = Self {
            fates: Vec::with_capacity(next.0.len()),
            removed: Vec::new(),
            replaced: Vec::new(),
        };
        // The last path that is removed with all within it.
        let mut gone: Option<&str> = None;
        let is_gone = |gone: Option<&str>, site: &Site<'_>| {
            gone.is_some_and(|gone| below(&site.placement.path, gone))
        };
        let mut old = previous.0.iter().peekable();
        for new in &next.0 {
            let mut fate = Fate::Added;
            while let Some(site) =
                old.next_if(|old| by_segments(&old.placement.path, &new.placement.path).is_le())
            {
                let same_place = site.placement.path == new.placement.path;
                if is_gone(gone, site) {
                    continue;
                }
                if !same_place {
                    gone = Some(&site.placement.path);
                    difference.removed.push(*site);
                } else if site.placement == new.placement {
                    fate = Fate::Kept;
                } else {
                    fate = Fate::Replaced;
                    difference.replaced.push(*site);
                    if matches!(new.placement.source, PlacementSource::Symlink { .. }) {
                        gone = Some(&site.placement.path);
                    }
                }
            }
            difference.fates.push(fate);
        }
        for site in old {
            if !is_gone(gone, site) {
                gone = Some(&site.placement.path);
                difference.removed.push(*site);
            }
        }
        difference
    }

    /// Marks as replaced each kept package that bundles packages and has a removed one nested in
    /// it: the removed package may have been at the place of a bundled one. Likewise one that comes
    /// to have a bundled package, whose commands are to be made executable.
    pub(crate) fn uncover(
        &mut self,
        next: &Sites<'a>,
        bundles: impl Fn(&Site<'a>) -> Result<bool, LinkError>,
    ) -> Result<(), LinkError> {
        let removed = std::mem::take(&mut self.removed);
        for site in &removed {
            for (end, _) in site.placement.path.match_indices("/node_modules/") {
                let parent = &site.placement.path[..end];
                let found =
                    next.0.binary_search_by(|other| by_segments(&other.placement.path, parent));
                if let Ok(index) = found
                    && self.fates[index] == Fate::Kept
                    && bundles(&next.0[index])?
                {
                    self.fates[index] = Fate::Replaced;
                    self.replaced.push(next.0[index]);
                }
            }
        }
        self.removed = removed;
        self.renew_bundlers(next);
        Ok(())
    }

    /// Marks as replaced each kept package that `is_other` says another is wanted for.
    pub(crate) fn replace(&mut self, next: &Sites<'a>, is_other: impl Fn(&str) -> bool) {
        for (site, fate) in next.0.iter().zip(&mut self.fates) {
            if *fate == Fate::Kept && is_other(&site.placement.path) {
                *fate = Fate::Replaced;
                self.replaced.push(*site);
            }
        }
    }

    fn renew_bundlers(&mut self, next: &Sites<'a>) {
        for (site, index) in next.0.iter().zip(0..) {
            let PlacementSource::Bundled { folder, .. } = &site.placement.source else { continue };
            let path = site.placement.path.strip_suffix(folder.as_str()).unwrap_or_default();
            let bundler = path.trim_end_matches('/');
            let found =
                next.0.binary_search_by(|other| by_segments(&other.placement.path, bundler));
            if let Ok(bundler) = found
                && self.fates[index] != Fate::Kept
                && self.fates[bundler] == Fate::Kept
            {
                self.fates[bundler] = Fate::Replaced;
                self.replaced.push(next.0[bundler]);
            }
        }
    }

    /// Returns the paths of the sites, except bundled ones, that are added, replaced and removed,
    /// with those within removed ones.
    pub(crate) fn paths(&self, previous: &Sites<'a>, next: &Sites<'a>) -> ChangedPaths {
        let own = || {
            self.fates.iter().zip(&next.0).filter(|(_, site)| !site.placement.source.is_bundled())
        };
        let with = |fate: Fate| {
            let sites = own().filter(move |(other, _)| **other == fate);
            sites.map(|(_, site)| site.placement.path.clone()).collect()
        };
        let stays = own().filter(|(fate, _)| **fate != Fate::Added).count() as u64;
        let removed = if previous.unpacked() == stays {
            Vec::new()
        } else {
            let paths: HashSet<&str> =
                own().map(|(_, site)| site.placement.path.as_str()).collect();
            let before = previous.0.iter().filter(|site| !site.placement.source.is_bundled());
            let gone = before
                .map(|site| &site.placement.path)
                .filter(|path| !paths.contains(path.as_str()));
            gone.cloned().collect()
        };
        ChangedPaths { added: with(Fate::Added), replaced: with(Fate::Replaced), removed }
    }

    /// Returns the indices of the sites to be built, parents first.
    pub(crate) fn changed(&self) -> impl Iterator<Item = usize> {
        self.fates
            .iter()
            .enumerate()
            .filter(|(_, fate)| **fate != Fate::Kept)
            .map(|(index, _)| index)
    }

    /// Returns the affected importers, and always the project itself, whose `node_modules` has the
    /// state files of all.
    pub(crate) fn importers(&self, next: &Sites<'a>) -> BTreeSet<&'a str> {
        let changed = self.changed().map(|index| next.0[index].importer);
        changed.chain(self.removed.iter().map(|site| site.importer)).chain([""]).collect()
    }

    /// Returns every removed, added or replaced site, before and after the change.
    pub(crate) fn before_and_after(&self, next: &Sites<'a>) -> impl Iterator<Item = Site<'a>> {
        let after: Vec<Site<'a>> = self.changed().map(|index| next.0[index]).collect();
        self.removed.iter().chain(&self.replaced).copied().chain(after)
    }
}
