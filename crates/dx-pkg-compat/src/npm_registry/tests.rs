use super::*;
use crate::npmrc::ConfigSources;
use dx_pkg_core::{Coded, Integrity, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::config::RetryPolicy;

use dx_pkg_format::packument::Packument;
use dx_pkg_registry::{
    Lifetime, PackumentAnswer, PackumentForm, PackumentRequest, TarballRequest, Validator,
};
use dx_pkg_testkit::{Fault, Registry};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

mod addresses;
mod encodings;
mod packuments;
mod refusals;
mod tarballs;

/// The registry that lockfiles name by default.
const DEFAULT: &str = "https://registry.example/";

fn name(text: &str) -> PackageName {
    PackageName::parse(text).unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn config(npmrc: &str) -> Config {
    let user = Some((Path::new("/home/me/.npmrc"), npmrc));
    Config::load(&ConfigSources { default_registry: DEFAULT, user, ..ConfigSources::default() })
        .unwrap()
}

/// A client of `npmrc` whose retries take no time worth mentioning.
fn client(npmrc: &str) -> NpmRegistry {
    let retry = RetryPolicy { first_delay: Duration::from_millis(2), ..RetryPolicy::default() };
    let fetcher = Fetcher::new(FetchConfig { retry, ..FetchConfig::default() });
    NpmRegistry::new(fetcher, config(npmrc), &url(DEFAULT)).unwrap()
}

fn client_of(registry: &Registry) -> NpmRegistry {
    client(&format!("registry={}", registry.url()))
}

/// `npmrc` lines with a token for everything at `registry`.
fn with_token(registry: &Registry, token: &str) -> String {
    format!("registry={0}\n//127.0.0.1:{1}/:_authToken={token}\n", registry.url(), registry.port())
}

/// `bytes` as one gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn ask(client: &NpmRegistry, package: &str) -> Result<PackumentAnswer, RegistryError> {
    client
        .packument(request(&name(package), PackumentForm::Abbreviated, None), |answer| answer)
        .await
}

fn request<'r>(
    name: &'r PackageName,
    form: PackumentForm,
    validator: Option<&'r Validator>,
) -> PackumentRequest<'r> {
    PackumentRequest { name, form, validator, priority: Priority::Normal }
}

fn wanted(registry: &Registry, package: &str, version: &str) -> TarballRequest {
    TarballRequest {
        name: name(package),
        version: version.into(),
        url: None,
        integrity: Some(Integrity::parse(&registry.integrity(package, version)).unwrap()),
        priority: Priority::Normal,
        estimated_bytes: 0,
    }
}
