//! The choice of a proxy for a request.

use std::path::Path;

use url::Url;

use super::value::{RawValue, Setting};
use super::{Config, ConfigError};

/// The proxies in the environment, whatever the case of their names.
#[derive(Default)]
pub(super) struct Environment {
    http: Option<String>,
    https: Option<String>,
    none: Option<String>,
}

impl Environment {
    pub(super) fn read(env: &[(String, String)]) -> Environment {
        let get = |name: &str| {
            let exact = super::layers::variable(env, name);
            let any = || {
                let found = env.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.as_str())
            };
            let value = exact.or_else(any)?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Environment {
            http: get("http_proxy").or_else(|| get("proxy")),
            https: get("https_proxy"),
            none: get("no_proxy"),
        }
    }
}

/// The value of `proxy` and `https-proxy`.
pub(super) enum Proxy {
    /// No proxy, whatever the environment says.
    Off,
    /// The proxy with this address.
    At(Url),
}

impl Setting for Proxy {
    const ALLOWED: &'static str = "the URL of a proxy, or false";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Proxy> {
        match value {
            RawValue::Bool(false) => Some(Proxy::Off),
            other => other.text().and_then(|text| proxy_url(&text)).map(Proxy::At),
        }
    }
}

impl Config {
    /// Returns the proxy for a URL; `None` for a direct connection.
    ///
    /// `https-proxy` serves https and `proxy` http, each standing in for the other; without both
    /// the environment's proxies count. `proxy=false` switches all of them off.
    ///
    /// # Errors
    /// A proxy that is no URL.
    pub fn proxy_for(&self, url: &Url) -> Result<Option<Url>, ConfigError> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let exempt = self.no_proxy()?;
        if exempt.iter().any(|rule| is_exempt(rule, host, port)) {
            return Ok(None);
        }
        let order = match url.scheme() {
            "https" => ["https-proxy", "proxy"],
            _ => ["proxy", "https-proxy"],
        };
        for key in order {
            match self.read(key, || None)? {
                None => {}
                Some(Proxy::Off) => return Ok(None),
                Some(Proxy::At(url)) => return Ok(Some(url)),
            }
        }
        self.environment_proxy(url.scheme())
    }

    /// Returns the hosts that are reached without a proxy: `noproxy`, else `NO_PROXY`.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn no_proxy(&self) -> Result<Vec<String>, ConfigError> {
        let mut rules: Vec<String> = self.read("noproxy", Vec::new)?;
        if rules.is_empty() {
            rules.extend(self.inner.proxies.none.clone());
        }
        let parts = rules.iter().flat_map(|rule| rule.split(','));
        let parts = parts.map(|part| part.trim().to_owned());
        Ok(parts.filter(|part| !part.is_empty()).collect())
    }

    fn environment_proxy(&self, scheme: &str) -> Result<Option<Url>, ConfigError> {
        let proxies = &self.inner.proxies;
        let text = match scheme {
            "https" => proxies.https.as_ref(),
            _ => proxies.http.as_ref().or(proxies.https.as_ref()),
        };
        let Some(text) = text else {
            return Ok(None);
        };
        proxy_url(text).map(Some).ok_or_else(|| ConfigError::Invalid {
            key: format!("{scheme}_proxy"),
            value: super::redact_urls(text),
            origin: super::Source::Environment,
            allowed: "the URL of a proxy",
        })
    }
}

fn proxy_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).or_else(|_| Url::parse(&format!("http://{text}"))).ok()?;
    let known =
        matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h");
    if known && url.host_str().is_some() {
        return Some(url);
    }
    // `proxy.example:8080` parses as a URL with the scheme `proxy.example`.
    let url = Url::parse(&format!("http://{text}")).ok()?;
    (!text.contains("://") && url.host_str().is_some()).then_some(url)
}

/// Returns whether a rule of `noproxy` covers a host: the same host or a parent domain, with an
/// optional leading dot and an optional port, or `*`.
fn is_exempt(rule: &str, host: &str, port: Option<u16>) -> bool {
    if rule == "*" {
        return true;
    }
    let (name, only_port) = match rule.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
            match digits.parse() {
                Ok(digits) => (name, Some(digits)),
                Err(_) => (rule, None),
            }
        }
        _ => (rule, None),
    };
    if only_port.is_some() && only_port != port {
        return false;
    }
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let name = name.trim_start_matches("*.").trim_matches(['.', '[', ']']);
    let name = name.to_ascii_lowercase();
    let rest = host.strip_suffix(&name);
    !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
