//! The HTTP clients: one for `http:` that costs nothing to set up, one for `https:` made on first
//! use, and one per client certificate, so that no connection opened with a certificate serves
//! another server.

use crate::config::FetchConfig;
use crate::dns::Resolver;
use crate::error::FetchCause;
use crate::tls::{self, ClientCertificate};
use reqwest::header::HeaderValue;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use url::Url;

/// The time after which an idle connection is closed.
const KEEP_ALIVE: Duration = Duration::from_secs(90);

pub(crate) struct Clients {
    config: FetchConfig,
    pub(crate) resolver: Resolver,
    plain: OnceCell<reqwest::Client>,
    secure: Mutex<HashMap<Option<ClientCertificate>, Arc<OnceCell<reqwest::Client>>>>,
}

impl Clients {
    pub(crate) fn new(config: FetchConfig) -> Self {
        Self {
            resolver: Resolver::new(config.addresses.clone()),
            config,
            plain: OnceCell::new(),
            secure: Mutex::default(),
        }
    }

    /// Returns the client for `url`.
    pub(crate) async fn for_url(
        &self,
        url: &Url,
        may_identify: bool,
    ) -> Result<reqwest::Client, FetchCause> {
        let proxy = self.config.proxy.as_ref().and_then(|choose| choose(url));
        let proxy = proxy.as_ref().map_or("", Url::scheme);
        // The HTTP client would ignore a proxy it does not know, and so connect directly.
        if !matches!(proxy, "" | "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            let reason = "it must be an http:, https: or socks: address".to_owned();
            return Err(FetchCause::Configuration { setting: "proxy".into(), reason });
        }
        if url.scheme() == "http" && proxy != "https" {
            let plain = || async { self.build(tls::without_roots()?) };
            return self.plain.get_or_try_init(plain).await.cloned();
        }
        let choose = self
            .config
            .client_certificates
            .as_ref()
            .filter(|_| may_identify && url.scheme() == "https");
        let identity = choose.and_then(|choose| choose(url));
        let client = {
            let mut secure = self.secure.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(secure.entry(identity.clone()).or_default())
        };
        client.get_or_try_init(|| self.secure(identity)).await.cloned()
    }

    /// Opens a connection to the server of `url` and keeps it for a later request.
    pub(crate) async fn open(&self, url: &Url, limit: Duration) {
        let Ok(client) = self.for_url(url, true).await else {
            return;
        };
        // The HTTP client has no call for this. Once connected, it refuses a request whose HTTP
        // version the connection does not speak, sends nothing, and keeps the connection.
        let refused = client.get(url.clone()).version(reqwest::Version::HTTP_2).send();
        let _ = tokio::time::timeout(limit, refused).await;
    }

    async fn secure(
        &self,
        identity: Option<ClientCertificate>,
    ) -> Result<reqwest::Client, FetchCause> {
        let settings = self.config.tls.clone();
        let tls =
            tokio::task::spawn_blocking(move || tls::with_settings(&settings, identity.as_ref()))
                .await
                .map_err(|error| FetchCause::Configuration {
                    setting: "tls".into(),
                    reason: error.to_string(),
                })??;
        self.build(tls)
    }

    fn build(&self, tls: rustls::ClientConfig) -> Result<reqwest::Client, FetchCause> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(user_agent(&self.config.user_agent))
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.config.timeouts.connect)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(self.config.idle_per_host.unwrap_or(usize::MAX))
            .dns_resolver(self.resolver.clone())
            .local_address(self.config.local_address)
            .no_proxy();
        if let Some(choose) = self.config.proxy.clone() {
            builder = builder.proxy(reqwest::Proxy::custom(move |url| choose(url)));
        }
        builder.build().map_err(|error| FetchCause::Configuration {
            setting: "network".into(),
            reason: crate::text::redact_text(&error.without_url().to_string()),
        })
    }
}

fn user_agent(text: &str) -> HeaderValue {
    let allowed: String = text.chars().filter(|c| matches!(c, ' '..='~')).collect();
    HeaderValue::from_str(&allowed).unwrap_or_else(|_| HeaderValue::from_static("dx"))
}
