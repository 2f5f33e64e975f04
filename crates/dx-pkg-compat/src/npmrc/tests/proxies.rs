//! The choice of proxies.

use super::*;

#[test]
fn proxies() {
    let https = url("https://registry.example/x");
    let http = url("http://registry.example/x");
    let proxy =
        |layers: Layers<'_>, url: &Url| layers.config().proxy_for(url).unwrap().map(String::from);
    let some = |text: &str| Some(text.to_owned());
    let none = Layers::default;
    assert_eq!(proxy(none(), &https), None);
    let one = || Layers { user: "proxy=http://p.example:1", ..none() };
    assert_eq!(
        [proxy(one(), &http), proxy(one(), &https)],
        [some("http://p.example:1/"), some("http://p.example:1/")]
    );
    let two = || Layers { user: "proxy=http://p.example:1\nhttps-proxy=s.example:2", ..none() };
    assert_eq!(
        [proxy(two(), &http), proxy(two(), &https)],
        [some("http://p.example:1/"), some("http://s.example:2/")]
    );
    let env = || Layers {
        env: &[("HTTPS_PROXY", "http://s.example"), ("http_proxy", "http://h.example")],
        ..none()
    };
    assert_eq!(
        [proxy(env(), &http), proxy(env(), &https)],
        [some("http://h.example/"), some("http://s.example/")]
    );
    assert_eq!(proxy(Layers { user: "proxy=false", ..env() }, &http), None);
    assert_eq!(proxy(Layers { user: "noproxy[]=example", ..env() }, &http), None);
    assert!(user("proxy=ftp://x").proxy_for(&http).is_err());
}

#[test]
fn noproxy_rules_cover_hosts_domains_and_ports() {
    let direct = |rules: &str, target: &str| {
        let env = [("NO_PROXY".to_owned(), rules.to_owned())];
        let flags = [("proxy".to_owned(), "http://p.example".to_owned())];
        let sources = ConfigSources {
            default_registry: DEFAULT,
            env: &env,
            flags: &flags,
            ..ConfigSources::default()
        };
        Config::load(&sources).unwrap().proxy_for(&url(target)).unwrap().is_none()
    };
    assert!(direct("other.test, .corp.example", "https://r.corp.example/"));
    assert!(direct("corp.example", "https://CORP.example:8443/"));
    assert!(direct("*.corp.example", "https://r.corp.example/"));
    assert!(direct("127.0.0.1", "http://127.0.0.1:4873/"));
    assert!(direct("[::1]:4873", "http://[::1]:4873/") && direct("::1", "http://[::1]/"));
    assert!(direct("corp.example:8443", "https://corp.example:8443/"));
    assert!(direct("*", "https://any.example/"));
    assert!(!direct("corp.example:8443", "https://corp.example/"));
    assert!(!direct("corp.example", "https://evilcorp.example/"));
    assert!(!direct("corp.example", "https://corp.example.evil/"));
    assert!(!direct(" , ", "https://corp.example/"));
}
