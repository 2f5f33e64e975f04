//! npm's network settings, as the fetcher wants them.

use crate::npmrc::{Config, ConfigError, Source};
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::config::{BodyLimits, Concurrency, RetryPolicy, Timeouts};
use dx_pkg_fetch::tls::TlsSettings;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The fetcher's configuration from npm's settings. `extra_ca_file` is `NODE_EXTRA_CA_CERTS`.
///
/// # Errors
/// A setting that is not of its kind, or a proxy that is no URL.
pub fn fetch_config(
    config: &Config,
    user_agent: String,
    extra_ca_file: Option<PathBuf>,
) -> Result<FetchConfig, ConfigError> {
    // A proxy that is no URL is told now, for the fetcher can only ask, not be told of errors.
    for address in
        [config.registry()].into_iter().chain(config.scoped_registries().map(|(_, url)| url))
    {
        config.proxy_for(address)?;
    }
    let (proxies, certificates) = (config.clone(), config.clone());
    Ok(FetchConfig {
        user_agent,
        offline: config.offline()?,
        concurrency: concurrency(config)?,
        timeouts: timeouts(config)?,
        retry: retry_policy(config)?,
        limits: limits(config)?,
        proxy: Some(Arc::new(move |url| proxies.proxy_for(url).ok().flatten())),
        local_address: local_address(config)?,
        tls: TlsSettings {
            verify: config.strict_ssl()?,
            ca: config.ca()?,
            ca_file: config.cafile()?,
            extra_ca_file,
        },
        client_certificates: Some(Arc::new(move |url| certificates.client_certificate_for(url))),
        ..FetchConfig::default()
    })
}

fn limits(config: &Config) -> Result<BodyLimits, ConfigError> {
    let usual = BodyLimits::default();
    // No tarball is longer than what it unpacks to.
    Ok(BodyLimits { tarball: config.max_package_bytes()?.unwrap_or(usual.tarball), ..usual })
}

fn local_address(config: &Config) -> Result<Option<IpAddr>, ConfigError> {
    let Some(text) = config.local_address()? else {
        return Ok(None);
    };
    let origin = config.raw("local-address").map_or(Source::Default, |(_, source)| source.clone());
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) => Err(ConfigError::Invalid {
            key: "local-address".to_owned(),
            value: text,
            origin,
            allowed: "an IP address of this machine",
        }),
    }
}

fn concurrency(config: &Config) -> Result<Concurrency, ConfigError> {
    // As with npm, no connections at all is meant to be no limit.
    let mut concurrency = match config.network_concurrency()?.filter(|limit| *limit > 0) {
        Some(limit) => Concurrency::of(limit as usize),
        None => Concurrency::default(),
    };
    if let Some(limit) = config.maxsockets()?.filter(|limit| *limit > 0) {
        concurrency.per_host = limit as usize;
    }
    Ok(concurrency)
}

fn timeouts(config: &Config) -> Result<Timeouts, ConfigError> {
    /// Longer than any command runs.
    const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    let usual = Timeouts::default();
    Ok(match config.fetch_timeout()? {
        Some(limit) if limit.is_zero() => Timeouts { total: NEVER, idle: NEVER, ..usual },
        // Who allows a request more time allows a server more silence, in the same proportion.
        Some(limit) => Timeouts { total: limit, idle: usual.idle.max(limit / 10), ..usual },
        None => usual,
    })
}

/// Returns how often and when failed requests are sent again.
///
/// # Errors
/// A setting is invalid.
pub fn retry_policy(config: &Config) -> Result<RetryPolicy, ConfigError> {
    let usual = RetryPolicy::default();
    Ok(RetryPolicy {
        tries: config.fetch_retries()?.map_or(usual.tries, |retries| retries.saturating_add(1)),
        first_delay: config.fetch_retry_mintimeout()?.unwrap_or(usual.first_delay),
        factor: config.fetch_retry_factor()?.unwrap_or(usual.factor),
        longest_delay: config.fetch_retry_maxtimeout()?.unwrap_or(usual.longest_delay),
        ..usual
    })
}
