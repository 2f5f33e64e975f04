//! Layers and how they merge; one file for each further concern.

use dx_pkg_core::Coded;

use super::*;

mod credentials;
mod files;
mod proxies;
mod security;
mod settings;
mod trust;

const DEFAULT: &str = "https://registry.example";

/// Layers of a test; every part is empty unless set.
#[derive(Default)]
struct Layers<'a> {
    global: &'a str,
    user: &'a str,
    project: &'a str,
    is_of_another_user: bool,
    env: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

impl Layers<'_> {
    fn load(&self) -> Result<Config, ConfigError> {
        let owned = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            let entries = list.iter();
            entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        Config::load(&ConfigSources {
            default_registry: DEFAULT,
            global: Some((Path::new("/etc/npmrc"), self.global)),
            user: Some((Path::new("/home/u/.npmrc"), self.user)),
            project: Some((Path::new("/project/.npmrc"), self.project)),
            is_of_another_user: self.is_of_another_user,
            env: &owned(self.env),
            flags: &owned(self.flags),
            ..ConfigSources::default()
        })
    }

    fn config(&self) -> Config {
        self.load().unwrap()
    }
}

fn user(text: &str) -> Config {
    Layers { user: text, ..Layers::default() }.config()
}

fn project(text: &str) -> Config {
    Layers { project: text, ..Layers::default() }.config()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn stronger_layers_win() {
    let mut layers = Layers { global: "tag=global", ..Layers::default() };
    let tag = |layers: &Layers<'_>| layers.config().tag().unwrap();
    assert_eq!(tag(&Layers::default()), "latest");
    assert_eq!(tag(&layers), "global");
    layers.user = "tag=user";
    assert_eq!(tag(&layers), "user");
    layers.project = "tag=project";
    assert_eq!(tag(&layers), "project");
    layers.env = &[("NPM_CONFIG_TAG", "env")];
    assert_eq!(tag(&layers), "env");
    layers.flags = &[("tag", "flag")];
    assert_eq!(tag(&layers), "flag");
}

#[test]
fn null_in_a_stronger_layer_is_the_default() {
    let config = Layers {
        user: "tag=beta\nfetch-retries=5",
        project: "tag=null\nfetch-retries=null",
        ..Layers::default()
    }
    .config();
    assert_eq!((config.tag().unwrap().as_str(), config.fetch_retries().unwrap()), ("latest", None));
}

#[test]
fn environment_names_are_normalised_except_after_slashes() {
    let config = Layers {
        env: &[
            ("npm_config_strict_ssl", "false"),
            ("NPM_CONFIG_Fetch_Retries", "7"),
            ("npm_config_//Registry.example/a_b/:_authToken", "t"),
            ("npm_config_tag", ""),
            ("npm_config_", "x"),
            ("npm_configuration", "x"),
        ],
        ..Layers::default()
    }
    .config();
    assert!(!config.strict_ssl().unwrap());
    assert_eq!(config.fetch_retries().unwrap(), Some(7));
    assert_eq!(config.tag().unwrap(), "latest");
    assert!(config.credentials_for(&url("https://registry.example/a_b/x")).is_some());
}

#[test]
fn lower_case_variable_wins_in_any_order() {
    let lower = ("npm_config_tag", "lower");
    let upper = ("NPM_CONFIG_TAG", "upper");
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    for env in [[owned(lower), owned(upper)], [owned(upper), owned(lower)]] {
        let sources =
            ConfigSources { default_registry: DEFAULT, env: &env, ..ConfigSources::default() };
        assert_eq!(Config::load(&sources).unwrap().tag().unwrap(), "lower");
        assert_eq!(environment_setting(&env, "tag").as_deref(), Some("lower"));
        assert_eq!(environment_setting(&env, "userconfig"), None);
    }
}

#[test]
fn registries_end_with_a_slash_and_scopes_have_their_own() {
    let config =
        user("registry=http://127.0.0.1:4873/npm\n@acme:registry=https://acme.example/r/?q#f");
    let registry = |name: &str| config.registry_for(&PackageName::parse(name).unwrap()).as_str();
    assert_eq!(config.registry().as_str(), "http://127.0.0.1:4873/npm/");
    assert_eq!(registry("@acme/x"), "https://acme.example/r/");
    assert_eq!(registry("@acme2/x"), "http://127.0.0.1:4873/npm/");
    assert_eq!(registry("acme"), "http://127.0.0.1:4873/npm/");
    assert_eq!(user("").registry().as_str(), "https://registry.example/");
    assert_eq!(config.scoped_registries().count(), 1);
}

#[test]
fn registry_that_is_no_http_address_is_refused() {
    for text in ["registry=file:///x", "registry=host/path", "@a:registry=ftp://h/"] {
        let error = Layers { user: text, ..Layers::default() }.load().unwrap_err();
        assert_eq!(error.code(), "DX_CONFIG_INVALID", "{text}");
        assert!(error.to_string().contains("/home/u/.npmrc"), "{error}");
        assert!(error.hint().unwrap().contains("https://"));
    }
}

#[test]
fn unsupported_settings_are_listed_where_they_change_something() {
    let keys = |text: &str| {
        let found = user(text).unsupported().unwrap();
        found.iter().map(|found| format!("{}={}", found.key, found.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        keys(
            "global-style=false\ninstall-strategy=hoisted\nnode-linker=hoisted\nprefer-dedupe=null"
        ),
        [""; 0]
    );
    assert_eq!(
        keys("enable-pnp\ninstall-strategy=linked\nnode-linker=pnp"),
        ["install-strategy=linked", "node-linker=pnp", "enable-pnp=true"]
    );
    assert_eq!(keys("extension-file=x.js"), ["extension-file=x.js"]);
}

#[test]
fn unknown_settings_are_kept_and_named_once() {
    let config = user("shiny=1\nbright=2\nshiny=3\ninit-license=MIT");
    assert!(config.raw("shiny").is_some());
    assert_eq!(config.keys().collect::<Vec<_>>(), ["bright", "init-license", "shiny"]);
    let [warning] = config.warnings() else { panic!("{:?}", config.warnings()) };
    assert_eq!(warning.code(), "DX_NPMRC_NOT_READ");
    assert!(warning.to_string().starts_with("dx does not read bright, shiny in "), "{warning}");
}

#[test]
fn digest_input_follows_what_matters_and_nothing_else() {
    let digest = |text: &str| user(text).digest_input();
    let base = digest("");
    for different in [
        "omit=dev",
        "registry=https://other.example/",
        "@a:registry=https://a.example/",
        "offline",
        "global-style",
        "min-release-age=1",
    ] {
        assert_ne!(digest(different), base, "{different}");
    }
    for same in
        ["loglevel=silly", "shiny=1", "//registry.example/:_authToken=t", "_auth=x", "fund=false"]
    {
        assert_eq!(digest(same), base, "{same}");
    }
    assert_ne!(digest("omit[]=dev\nomit[]=peer"), digest("omit[]=devpeer"));
    assert_eq!(project("tag=x").digest_input(), digest("tag=x"));
    let production = Layers { env: &[("NODE_ENV", "production")], ..Layers::default() };
    assert_ne!(production.config().digest_input(), base);
}
