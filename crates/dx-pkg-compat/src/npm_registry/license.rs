//! Asking for the licence of one version: the only thing a lockfile wants that abbreviated
//! packuments do not tell.

use super::{NpmRegistry, address, encoding};
use dx_pkg_core::PackageName;
use dx_pkg_fetch::header::{ACCEPT, HeaderValue};
use dx_pkg_fetch::{Priority, Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// A document of one version, or a packument, as far as licences go.
#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow, default)]
    versions: HashMap<String, &'d RawValue>,
    #[serde(default)]
    license: Option<serde_json::Value>,
}

impl NpmRegistry {
    /// The licence of `name@version`: from the version's own document where the registry has those,
    /// else from the full packument. Empty where that tells none; `None` where neither can be had.
    pub async fn license(&self, name: &PackageName, version: &str) -> Option<String> {
        let registry = self.config.registry_for(name);
        let packument = address::packument_url(registry, name)?;
        let document = format!("{packument}/{version}").parse().ok()?;
        for url in [document, packument] {
            let request = Request::metadata(url)
                .header(ACCEPT, HeaderValue::from_static("application/json"))
                .priority(Priority::Low)
                .credentials(self.credentials(registry));
            let request = self.labelled(request, || format!("{name}@{version}"));
            if let Ok(response) = self.fetcher.get(request).await {
                let version = version.to_owned();
                return self
                    .compute(move || Some(read(&response, &version).unwrap_or_default()))
                    .await;
            }
        }
        None
    }
}

fn read(response: &Response, version: &str) -> Option<String> {
    let codings = encoding::codings(&response.headers);
    let undone = encoding::undo(&response.body, &codings, encoding::LARGE).ok()?;
    let json: &[u8] = undone.as_deref().unwrap_or(&response.body);
    let mut document: Document<'_> = serde_json::from_slice(json).ok()?;
    if let Some(own) = document.versions.get(version) {
        document = serde_json::from_str(own.get()).ok()?;
    }
    let license = document.license?;
    license.as_str().or_else(|| license.get("type")?.as_str()).map(str::to_owned)
}
