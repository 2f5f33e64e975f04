//! Finds the latest revision of a document, and removes old ones.

use super::{Documents, HINTED, KEPT, Name, UNDISTURBED};
use crate::failure::Failure;
use bytes::Bytes;
use std::time::SystemTime;

impl Documents {
    /// Returns the number of the latest revision, 0 for none, knowing that it is not below `start`.
    pub(super) async fn latest(&self, name: &Name, start: u64) -> Result<u64, Failure> {
        let mut number = start;
        if number == 0 {
            // Most names that are asked for are an upstream's, and have no document.
            if !self.storage.exists(&name.0) {
                return Ok(0);
            }
            number = self.hinted(name).await?;
        }
        if !self.storage.exists(&name.revision(number + 1)) {
            // Nothing follows: it is the latest, unless it was removed for being old.
            if number == 0 || self.storage.exists(&name.revision(number)) {
                return Ok(number);
            }
            return self.newest(name).await;
        }
        while self.storage.exists(&name.revision(number + 1)) {
            number += 1;
        }
        Ok(number)
    }

    /// Returns the number of the latest revision from a listing.
    pub(super) async fn newest(&self, name: &Name) -> Result<u64, Failure> {
        let listed = self.storage.list(&name.0).await?;
        Ok(listed.iter().filter_map(|object| object.key.last().parse().ok()).max().unwrap_or(0))
    }

    async fn hinted(&self, name: &Name) -> Result<u64, Failure> {
        let hint = match self.storage.exists(&name.hint()) {
            true => self.storage.read(&name.hint()).await?.unwrap_or_default(),
            false => Bytes::new(),
        };
        let number = std::str::from_utf8(&hint).ok().and_then(|text| text.trim().parse().ok());
        match number {
            Some(number) => Ok(number),
            // Without a hint that can be read, nothing was removed if the first revision is there.
            None if self.storage.exists(&name.revision(1)) => Ok(0),
            None => self.newest(name).await,
        }
    }

    /// Writes the hint and removes old revisions, in the background.
    pub(super) fn tidy(&self, name: Name, number: u64) {
        let documents = self.clone();
        tokio::spawn(async move {
            // Both can be done by the next change as well.
            let _ = documents.storage.replace(&name.hint(), Bytes::from(number.to_string())).await;
            if number > HINTED + KEPT {
                let _ = documents.remove_old(&name, number - KEPT).await;
            }
        });
    }

    /// Removes the revisions below `end` that are old enough, lowest number first.
    pub(super) async fn remove_old(&self, name: &Name, end: u64) -> Result<(), Failure> {
        let listed = self.storage.list(&name.0).await?;
        let now = SystemTime::now();
        let mut old: Vec<(u64, _)> = listed
            .into_iter()
            .filter_map(|object| Some((object.key.last().parse().ok()?, object)))
            .filter(|(number, _)| *number < end)
            .collect();
        old.sort_unstable_by_key(|(number, _)| *number);
        for (_, object) in old {
            if now.duration_since(object.modified).unwrap_or_default() < UNDISTURBED {
                break;
            }
            self.storage.remove(&object.key).await?;
        }
        Ok(())
    }
}
