//! Requests documents as they are: full packuments with every member, and other answers in JSON.

use dx_pkg_core::PackageName;
use dx_pkg_core::text::plain_text;
use dx_pkg_fetch::header::{ACCEPT, CONTENT_LENGTH, HeaderValue};
use dx_pkg_fetch::{FetchError, Request, Response};
use serde_json::Value;
use url::Url;

use super::error::{explained, shown};
use super::{NpmRegistry, RegistryError, address, encoding};
use crate::json_size::{PACKUMENT_VALUES, parse};

/// How much of a wrong answer is shown, in bytes.
const BEGINNING: usize = 80;

/// A full packument with all of its members.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The packument.
    pub json: Value,
    /// The length in bytes that the registry announced, which npm shows; 0 where it did not.
    pub length: u64,
}

impl NpmRegistry {
    /// Requests the full packument of a package, with every member that the registry has.
    ///
    /// # Errors
    /// [`RegistryError`]: the package is unknown or refused, the answer is no packument, or there
    /// is no answer.
    pub async fn document(&self, name: &PackageName) -> Result<Document, RegistryError> {
        let registry = self.config.registry_for(name).clone();
        let url = address::packument_url(&registry, name)
            .ok_or_else(|| RegistryError::BadUrl { name: name.clone(), url: shown(&registry) })?;
        let request = Request::metadata(url.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .credentials(self.credentials(&registry));
        let response = self.fetcher.get(request).await;
        let response =
            response.map_err(|error| self.packument_error(name, &registry, &url, error))?;
        let length = response.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let decoded = decoded(&response);
        match decoded.and_then(|bytes| {
            parse(&bytes, PACKUMENT_VALUES).map_err(|error| (error.to_string(), bytes))
        }) {
            Ok(json @ Value::Object(_)) => Ok(Document { json, length: length.unwrap_or(0) }),
            Ok(other) => {
                Err(self.no_document(name, &response, "it is no object", &other.to_string()))
            }
            Err((reason, bytes)) => {
                let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINNING)]);
                Err(self.no_document(name, &response, &reason, &beginning))
            }
        }
    }

    /// Requests what is at `path` below a registry, and returns its bytes.
    ///
    /// # Errors
    /// The registry does not answer, or refuses.
    pub async fn answer(&self, registry: &Url, path: &str) -> Result<Vec<u8>, FetchError> {
        let url = address::below(registry, path).unwrap_or_else(|| registry.clone());
        let request = Request::metadata(url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .credentials(self.credentials(registry));
        let response = match self.fetcher.get(request).await {
            Ok(response) => response,
            Err(error) => return Err(explained(error, &self.config).0),
        };
        Ok(decoded(&response).unwrap_or_else(|(_, bytes)| bytes))
    }

    fn no_document(
        &self,
        name: &PackageName,
        response: &Response,
        reason: &str,
        beginning: &str,
    ) -> RegistryError {
        let error = RegistryError::BadPackument {
            name: name.clone(),
            url: shown(&response.url),
            reason: plain_text(reason, 200),
            beginning: plain_text(beginning, BEGINNING),
        };
        error.without_credentials(&self.config)
    }
}

/// Returns the bytes of an answer without its encodings; or why they cannot be undone, and the
/// bytes as they are.
fn decoded(response: &Response) -> Result<Vec<u8>, (String, Vec<u8>)> {
    let codings = encoding::codings(&response.headers);
    match encoding::undo(&response.body, &codings, encoding::LARGEST) {
        Ok(Some(undone)) => Ok(undone.to_vec()),
        Ok(None) => Ok(response.body.to_vec()),
        Err(reason) => Err((reason.to_owned(), response.body.to_vec())),
    }
}
