//! The choice of credentials for a URL.
//!
//! A credential is bound to `//host[:port]/path/`. It serves a URL of the same host whose port is
//! the same (no port means the scheme's own) and whose path continues at a `/`. The longest path
//! wins; among equals `_authToken`, then `_auth`, then `username` with `_password`, as in npm.
//!
//! Nothing is sent without TLS unless that is the user's own doing: see [`PlainHttp`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use dx_pkg_core::Integrity;
use dx_pkg_fetch::tls::{ClientCertificate, Pem, PemSource};

use url::{Host, Url, form_urlencoded};

use super::entry::Entry;
use super::error::redact_urls;
use super::value::{RawValue, Setting};
use super::{ConfigWarning, Source};

/// A secret to send as the `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    scheme: &'static str,
    secret: String,
}

impl Authorization {
    /// Returns the header's value, such as `Bearer …`.
    #[must_use]
    pub fn header_value(&self) -> String {
        format!("{} {}", self.scheme, self.secret)
    }
}

impl Authorization {
    /// Returns the secret as it is sent, and the user's password in it.
    fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.secret.clone()];
        let pair = STANDARD.decode(&self.secret).ok().filter(|_| self.scheme == "Basic");
        if let Some(pair) = pair.and_then(|pair| String::from_utf8(pair).ok()) {
            forms.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
            forms.push(pair);
        }
        forms
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ***", self.scheme)
    }
}

/// Every credential of a configuration.
#[derive(Default)]
pub(super) struct CredentialTable {
    /// Longest paths first.
    bound: Vec<(Place, Secrets)>,
    /// `cert` and `key`.
    unbound: Option<ClientCertificate>,
    plain: PlainHttp,
}

/// The scope of a credential.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    port: Option<u16>,
    /// Without a slash at its end; empty for the whole host.
    path: String,
}

#[derive(Default)]
struct Secrets {
    authorization: Option<Authorization>,
    /// The place where the authorization is set.
    origin: Option<Source>,
    certificate: Option<ClientCertificate>,
}

/// Settings that are credentials when they follow a `//host/path/:`.
const NAMES: [&str; 6] = ["_authToken", "_auth", "username", "_password", "certfile", "keyfile"];

impl CredentialTable {
    /// Collects the credentials among the settings and warns about those that cannot be used.
    pub(super) fn build(
        entries: &BTreeMap<String, Entry>,
        registries: &[(String, bool)],
        home: Option<&Path>,
        warnings: &mut Vec<ConfigWarning>,
    ) -> CredentialTable {
        let mut unscoped = Vec::new();
        let mut places: BTreeMap<Place, BTreeMap<&str, &Entry>> = BTreeMap::new();
        for (key, entry) in entries {
            let Some((registry, name)) = key.rsplit_once(':').filter(|_| key.starts_with("//"))
            else {
                unscoped.push((key, entry));
                continue;
            };
            if !NAMES.contains(&name) || entry.value == RawValue::Null {
                continue;
            }
            match usable(registry, name, entry) {
                Ok(place) => {
                    places.entry(place).or_default().insert(name, entry);
                }
                Err(reason) => warnings.push(ConfigWarning::BadCredential {
                    key: redact_urls(key),
                    reason,
                    origin: entry.source.clone(),
                }),
            }
        }
        let mut bound: Vec<_> = places
            .into_iter()
            .map(|(place, settings)| {
                let secrets = Secrets::of(&place, &settings, home);
                (place, secrets)
            })
            .collect();
        bound.sort_by_key(|(place, _)| std::cmp::Reverse((place.path.len(), place.port)));
        let unbound = unbound_certificate(entries);
        for (key, entry) in unscoped {
            if unbound.is_none() || !matches!(key.as_str(), "cert" | "key") {
                warn_unscoped(key, entry, warnings);
            }
        }
        CredentialTable { bound, unbound, plain: PlainHttp::new(registries) }
    }

    /// Returns the header for a URL.
    pub(super) fn authorization(&self, url: &Url) -> Option<Authorization> {
        self.find(url, |secrets| {
            let found = secrets.authorization.as_ref()?;
            let may_send = self.plain.allows(url, secrets.origin.as_ref());
            may_send.then(|| found.clone())
        })
    }

    /// Returns the warning about a credential for a URL that is not sent, as the URL has no TLS.
    pub(super) fn withheld(&self, url: &Url) -> Option<ConfigWarning> {
        let mut covering = self.bound.iter().filter(|(place, _)| place.covers(url));
        covering.find_map(|(place, secrets)| {
            secrets.authorization.as_ref()?;
            let origin = secrets.origin.clone()?;
            let is_withheld = !self.plain.allows(url, Some(&origin));
            is_withheld.then(|| ConfigWarning::PlainHttp {
                key: place.to_string(),
                origin,
                registry: format!("http:{place}"),
            })
        })
    }

    /// Returns the client certificate for a URL.
    pub(super) fn certificate(&self, url: &Url) -> Option<ClientCertificate> {
        self.find(url, |secrets| secrets.certificate.clone())
    }

    /// Returns the client certificate that is bound to no address.
    pub(super) fn unbound_certificate(&self) -> Option<ClientCertificate> {
        self.unbound.clone()
    }

    /// Returns a digest of what a URL's server is told about who asks; 0 where that is nothing.
    pub(super) fn digest_for(&self, url: &Url) -> u64 {
        let header = self.authorization(url).map(|found| found.header_value());
        let certificate = self.certificate(url).map(|found| certificate_text(&found));
        let user = Some(format!("{}:{}", url.username(), url.password().unwrap_or_default()));
        digest(&[header, certificate, user.filter(|user| user != ":")])
    }

    /// Returns a digest of all credentials; 0 where there is none.
    pub(super) fn digest(&self) -> u64 {
        let own = self.bound.iter().map(|(place, secrets)| {
            let header = secrets.authorization.as_ref().map(Authorization::header_value);
            let certificate = secrets.certificate.as_ref().map(certificate_text);
            Some(format!("{place} {header:?} {certificate:?}"))
        });
        let unbound = self.unbound.as_ref().map(certificate_text);
        digest(&own.chain([unbound]).collect::<Vec<_>>())
    }

    /// Returns every text that is a secret, in each form in which it is sent or written.
    pub(super) fn secrets(&self) -> Vec<String> {
        let headers = self.bound.iter().filter_map(|(_, secrets)| secrets.authorization.as_ref());
        headers.flat_map(Authorization::forms).collect()
    }

    fn find<T>(&self, url: &Url, pick: impl Fn(&Secrets) -> Option<T>) -> Option<T> {
        self.bound
            .iter()
            .filter(|(place, _)| place.covers(url))
            .find_map(|(_, secrets)| pick(secrets))
    }
}

impl Place {
    /// Parses `//host[:port]/path/`.
    fn parse(registry: &str) -> Option<Place> {
        let rest = registry.strip_prefix("//")?;
        let authority = rest.split('/').next()?;
        // The URL parser takes these for slashes or drops them, and would find another host.
        let strange = |character: char| character == '\\' || character.is_whitespace();
        if authority.is_empty() || rest.contains(strange) {
            return None;
        }
        let port = match authority.rsplit_once(':') {
            Some((_, digits)) if !digits.ends_with(']') => Some(digits.parse().ok()?),
            _ => None,
        };
        // The URL parser writes host and path in the one form request URLs have.
        let url = Url::parse(&format!("https://{rest}")).ok()?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then_some(Place {
            host: url.host_str()?.to_owned(),
            port,
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    fn covers(&self, url: &Url) -> bool {
        let same_port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        let rest = url.path().strip_prefix(self.path.as_str());
        matches!(url.scheme(), "http" | "https")
            && url.host_str() == Some(self.host.as_str())
            && same_port
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The servers that may be sent a credential without TLS: those that the credential's own layers
/// name as an `http:` registry, and this machine, unless the user names an `https:` registry there.
/// So a project's `.npmrc` cannot make a token travel in the open by `http:` in place of `https:`.
#[derive(Default)]
struct PlainHttp {
    /// Scheme, host and port of each registry, and whether a trusted layer names it.
    named: Vec<(bool, String, Option<u16>, bool)>,
}

impl PlainHttp {
    fn new(registries: &[(String, bool)]) -> PlainHttp {
        let named = registries.iter().filter_map(|(address, trusted)| {
            let url = Url::parse(address).ok()?;
            let host = url.host_str()?.to_owned();
            Some((url.scheme() == "https", host, url.port(), *trusted))
        });
        PlainHttp { named: named.collect() }
    }

    fn allows(&self, url: &Url, origin: Option<&Source>) -> bool {
        if url.scheme() != "http" {
            return true;
        }
        let is_users = origin.is_none_or(Source::is_trusted);
        let is_named = |https: bool| {
            self.named.iter().any(|(is_https, host, port, trusted)| {
                *is_https == https
                    && url.host_str() == Some(host)
                    && url.port() == *port
                    && (*trusted || !is_users)
            })
        };
        is_named(false) || is_this_machine(url) && !is_named(true)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Returns whether a setting is a credential for a URL.
pub(super) fn is_for(key: &str, url: &Url) -> bool {
    key.rsplit_once(':').is_some_and(|(registry, name)| {
        NAMES.contains(&name) && Place::parse(registry).is_some_and(|place| place.covers(url))
    })
}

/// Returns the text before the setting's name: `//host[:port]/path/`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "//{}", self.host)?;
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        write!(formatter, "{}/", self.path)
    }
}

impl Secrets {
    fn of(place: &Place, settings: &BTreeMap<&str, &Entry>, home: Option<&Path>) -> Secrets {
        let text = |name: &str| {
            let entry = settings.get(name)?;
            entry.value.text().filter(|text| !text.is_empty())
        };
        let path = |name: &str| {
            let path = PathBuf::read(&settings.get(name)?.value, home)?;
            (!path.as_os_str().is_empty()).then_some(path)
        };
        let bearer = text("_authToken").map(|token| ("Bearer", token, "_authToken"));
        let basic = || text("_auth").map(|pair| ("Basic", pair, "_auth"));
        let user =
            || Some(("Basic", basic_pair(&text("username")?, &text("_password")?), "_password"));
        let chosen = bearer.or_else(basic).or_else(user);
        let secret = chosen.as_ref().and_then(|(_, _, name)| settings.get(name));
        let files = path("certfile").zip(path("keyfile"));
        Secrets {
            origin: secret.map(|entry| entry.source.clone()),
            authorization: chosen.map(|(scheme, secret, _)| Authorization { scheme, secret }),
            certificate: files.map(|(certificate, key)| {
                let pem = |name, path| Pem {
                    setting: format!("{place}:{name}"),
                    source: PemSource::File(path),
                };
                ClientCertificate {
                    certificate: pem("certfile", certificate),
                    key: pem("keyfile", key),
                }
            }),
        }
    }
}

/// Returns the first bytes of a SHA-512, from which no secret can be read; 0 for nothing at all.
pub(super) fn digest(parts: &[Option<String>]) -> u64 {
    if parts.iter().all(Option::is_none) {
        return 0;
    }
    let integrity = Integrity::sha512_of(format!("{parts:?}").as_bytes());
    let first = integrity.strongest().digest().first_chunk().copied();
    first.map_or(1, u64::from_le_bytes).max(1)
}

/// Returns the password of an address, as it is written and as it is sent.
pub(super) fn user_secrets(url: &Url) -> Vec<String> {
    let Some(written) = url.password() else { return Vec::new() };
    let plain = |text: &str| {
        // A form has a meaning of its own for these.
        let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        let mut parts = form_urlencoded::parse(text.as_bytes());
        parts.next().map_or_else(String::new, |(name, _)| name.into_owned())
    };
    let (user, password) = (plain(url.username()), plain(written));
    vec![written.to_owned(), STANDARD.encode(format!("{user}:{password}")), password]
}

/// Returns a text with every secret in it replaced by `***`.
pub(super) fn without(text: &str, mut secrets: Vec<String>) -> String {
    /// Shorter ones are in many words, and no secret.
    const SHORTEST: usize = 4;
    // Of two secrets one may be part of the other.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

fn certificate_text(certificate: &ClientCertificate) -> String {
    let pem = |pem: &Pem| match &pem.source {
        PemSource::File(path) => path.to_string_lossy().into_owned(),
        PemSource::Text(text) => text.clone(),
    };
    format!("{} {}", pem(&certificate.certificate), pem(&certificate.key))
}

fn usable(registry: &str, name: &str, entry: &Entry) -> Result<Place, &'static str> {
    let place = Place::parse(registry).ok_or("its registry is not of the form //host/path/")?;
    let text = entry.value.text().ok_or("it has several values")?;
    let printable = |character: char| character == ' ' || character.is_ascii_graphic();
    if matches!(name, "_authToken" | "_auth") && !text.chars().all(printable) {
        return Err("it holds characters that no header may hold");
    }
    Ok(place)
}

/// Reads `cert` or `key`: the PEM text itself, in which `
/// ` may stand for a line end.
fn unbound_certificate(entries: &BTreeMap<String, Entry>) -> Option<ClientCertificate> {
    let pem = |name: &str| {
        let text = entries.get(name)?.value.text().filter(|text| !text.is_empty())?;
        Some(Pem { setting: name.to_owned(), source: PemSource::Text(text.replace("\\n", "\n")) })
    };
    Some(ClientCertificate { certificate: pem("cert")?, key: pem("key")? })
}

fn warn_unscoped(key: &str, entry: &Entry, warnings: &mut Vec<ConfigWarning>) {
    let is_credential =
        NAMES.contains(&key) || matches!(key, "_authtoken" | "-authtoken" | "cert" | "key");
    let is_given = !entry.value.list().iter().all(String::is_empty);
    if is_credential && is_given && entry.source != Source::Default {
        warnings.push(ConfigWarning::UnscopedCredential {
            key: key.to_owned(),
            origin: entry.source.clone(),
        });
    }
}

/// Returns `username:password` in Base64; npm stores the password itself in Base64 and reads it
/// leniently.
fn basic_pair(username: &str, password: &str) -> String {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &ALPHABET,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    let digits: String = password
        .chars()
        .take_while(|character| *character != '=')
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '/'))
        .collect();
    // A single digit left over holds no whole byte.
    let whole = digits.len() - usize::from(digits.len() % 4 == 1);
    let decoded = LENIENT.decode(&digits[..whole]).unwrap_or_default();
    let password = String::from_utf8_lossy(&decoded);
    STANDARD.encode(format!("{username}:{password}"))
}
