//! The registry's address as a client sees it, and the client's own, behind proxies or not.

use crate::config::{Config, Network};
use crate::failure::Failure;
use axum::http::header::{HOST, HeaderMap};
use axum::http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;

/// Returns the client's address, and the address by which it reaches this registry, with a slash at
/// the end. `X-Forwarded-*` counts only from a trusted proxy.
pub(super) fn seen_by_client(
    config: &Config,
    request: &Parts,
    peer: IpAddr,
) -> Result<(IpAddr, Arc<str>), Failure> {
    let is_trusted = trusts(&config.trusted_proxies, peer);
    let told = |name: &str| {
        let value = request.headers.get(name).filter(|_| is_trusted)?;
        value.to_str().ok()?.split(',').next().map(str::trim).filter(|value| !value.is_empty())
    };
    let client = if is_trusted {
        client_behind(&config.trusted_proxies, &request.headers, peer)
    } else {
        peer
    };
    if let Some(public) = &config.public_url {
        return Ok((client, public.0.as_str().into()));
    }
    let scheme = match told("x-forwarded-proto") {
        Some("https") => "https",
        None if config.tls_cert.is_some() => "https",
        _ => "http",
    };
    let own = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = own.or_else(|| request.uri.authority().map(|authority| authority.as_str()));
    let host = match told("x-forwarded-host").or(own) {
        Some(host) if is_host(host) => host.to_ascii_lowercase(),
        Some(_) => return Err(Failure::bad_request("the Host header is no host and port")),
        None => config.listen.to_string(),
    };
    let prefix = told("x-forwarded-prefix").filter(|prefix| is_prefix(prefix)).unwrap_or_default();
    let prefix = prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    Ok((client, format!("{scheme}://{host}/{prefix}{slash}").into()))
}

/// Returns the path without the public address's own path, which a proxy may leave in place.
pub(super) fn without_prefix<'p>(config: &Config, path: &'p str) -> &'p str {
    let prefix = config.public_url.as_ref().map_or("/", |public| public.0.path());
    let prefix = prefix.trim_end_matches('/');
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

fn trusts(proxies: &[Network], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(address))
}

/// Returns the last address that no trusted proxy has.
fn client_behind(proxies: &[Network], headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    let told: Vec<IpAddr> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map_while(|address| address.trim().parse().ok())
        .collect();
    told.into_iter().rev().find(|address| !trusts(proxies, *address)).unwrap_or(peer)
}

/// Returns whether a text is a host and perhaps a port, with no character that has a meaning in
/// JSON, HTML or a URL.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

fn is_prefix(text: &str) -> bool {
    text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte))
        && !text.contains("..")
}
