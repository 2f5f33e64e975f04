//! What a registry said of a packument beside its contents.

/// Validators and times of a registry's answer; `T` holds its texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    /// The `ETag`.
    pub(crate) etag: Option<T>,
    /// The `Last-Modified`.
    pub(crate) last_modified: Option<T>,
    /// When the registry confirmed the packument, in milliseconds since 1970.
    pub(crate) fetched_ms: u64,
    /// Until when it may be used without revalidation, in milliseconds since 1970.
    pub(crate) fresh_until_ms: u64,
    /// Until when it may be used during revalidation, in milliseconds since 1970.
    pub(crate) stale_until_ms: u64,
    /// The digest of the credential for which the registry confirmed it; 0 without one.
    pub(crate) credential: u64,
}

impl<T: AsRef<str>> Answer<T> {
    fn with_texts<'t, U>(&'t self, text: impl Fn(&'t str) -> U) -> Answer<U> {
        Answer {
            etag: self.etag.as_ref().map(|etag| text(etag.as_ref())),
            last_modified: self.last_modified.as_ref().map(|date| text(date.as_ref())),
            fetched_ms: self.fetched_ms,
            fresh_until_ms: self.fresh_until_ms,
            stale_until_ms: self.stale_until_ms,
            credential: self.credential,
        }
    }

    pub(crate) fn borrowed(&self) -> Answer<&str> {
        self.with_texts(|text| text)
    }

    pub(crate) fn owned(&self) -> Answer<String> {
        self.with_texts(str::to_owned)
    }
}
