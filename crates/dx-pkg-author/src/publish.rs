//! `dx publish`: a package, and what is said of it, sent to a registry.

mod document;
mod jobs;
mod order;
mod provenance;
mod trusted;

use std::path::{Path, PathBuf};

use dx_pkg_compat::hosted::is_plain;
use dx_pkg_compat::npmrc::{Config, OptionInfo};
use dx_pkg_core::{Range, Version};
use dx_pkg_fetch::Method;
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, Session, SessionOptions};
use serde_json::{Map, Value};

pub use crate::error::PublishError;
pub use document::document;
pub use order::in_order;

use provenance::Subject;
use trusted::Exchange;

use crate::members::Members;
use crate::normalise::Normalised;
use crate::registry::{Registry, escaped};
use crate::script::{Scripts, Told};
use crate::source::{self, Source};
use crate::{AuthorError, PackageFile, Tarball, pack};

/// A package to be published.
pub struct Publication<'p> {
    /// The environment of the command.
    pub environment: &'p Environment,
    /// The packages of the project that the command is about.
    pub members: &'p Members,
    /// Settings of the command line.
    pub flags: &'p [(String, String)],
    /// Who is told.
    pub told: &'p dyn Told,
    /// Shows the tarball before it is sent.
    pub shows: &'p dyn Fn(&Tarball),
    /// Whether the package is only staged.
    pub is_staged: bool,
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The tarball.
    pub tarball: Tarball,
    /// The id of a staged publication.
    pub stage: Option<String>,
}

impl Publication<'_> {
    /// Publishes what a word means; a folder with its scripts. `workspace` is set for one of
    /// several.
    ///
    /// # Errors
    /// The package cannot be published, a script fails, or the registry refuses.
    pub fn run(&self, word: &str, is_workspace: bool) -> Result<Published, AuthorError> {
        let root = &self.members.root;
        let (config, _) = configuration(self.environment, root, self.flags)?;
        let tag = config.tag()?;
        check_tag(&tag)?;
        let open = || self.open(&Map::new());
        let scripts = Scripts::new(self.environment, root, "publish", &config, self.told)?;
        match source::find(word, &self.environment.folder, &open, self.told)? {
            Source::Folder(folder) => self.folder(&folder, &config, &scripts, is_workspace),
            Source::Tarball(tarball) => self.tarball(*tarball, &config, is_workspace),
        }
    }

    fn folder(
        &self,
        folder: &Path,
        config: &Config,
        scripts: &Scripts<'_>,
        is_workspace: bool,
    ) -> Result<Published, AuthorError> {
        self.manifest(folder, false)?;
        scripts.run(folder, "prepublishOnly", &[])?;
        let tarball = pack::folder(folder, self.members, scripts, self.told)?;
        scripts.run(folder, "postpack", &[])?;
        let manifest = self.manifest(folder, true)?;
        let published = self.send(tarball, manifest, config, is_workspace)?;
        scripts.run(folder, "publish", &[])?;
        scripts.run(folder, "postpublish", &[])?;
        Ok(published)
    }

    fn tarball(
        &self,
        tarball: Tarball,
        config: &Config,
        is_workspace: bool,
    ) -> Result<Published, AuthorError> {
        let folder = Unpacked::of(&tarball, self.environment)?;
        let manifest = prepared(&folder.path)?;
        self.send(tarball, manifest, config, is_workspace)
    }

    /// Returns the manifest of a folder as it is published.
    fn manifest(&self, folder: &Path, tells: bool) -> Result<Map<String, Value>, AuthorError> {
        let file = PackageFile::read(folder)?;
        let wrong = |problem| AuthorError::Field { path: file.path(), problem };
        let mut manifest = Normalised::new(&file.content);
        manifest.fix().map_err(wrong)?;
        if tells && !manifest.changes.is_empty() {
            let changes = manifest.changes.join("\n  ");
            self.told.warning(&format!(
                "package.json was corrected for the publication; `dx pkg fix` corrects the file:\n  {changes}"
            ));
        }
        manifest.prepare(folder).map_err(wrong)?;
        let data = manifest.data;
        if data.contains_key("packageExtensions") && !is_private(&data) {
            return Err(PublishError::Extensions.into());
        }
        Ok(data)
    }

    /// Opens a session with what the package itself says of its publication.
    fn open(&self, publish_config: &Map<String, Value>) -> Result<Session, AuthorError> {
        let mut flags = own_settings(publish_config, self.flags, self.told);
        flags.extend(self.flags.iter().cloned());
        let options = SessionOptions { flags, ..SessionOptions::default() };
        Ok(Session::open(self.environment.clone(), &self.members.root, options)?)
    }

    fn send(
        &self,
        tarball: Tarball,
        mut manifest: Map<String, Value>,
        config: &Config,
        is_workspace: bool,
    ) -> Result<Published, AuthorError> {
        let own = manifest.get("publishConfig").and_then(Value::as_object).cloned();
        let own = own.unwrap_or_default();
        let Tarball { name, version, .. } = &tarball;
        let (name, version) = (name.clone(), version.clone());
        let parsed = Version::parse_loose(version.trim())
            .map_err(|_| PublishError::Version { version: version.clone() })?;
        let is_usual_tag = config.tag()? == "latest" && !own.contains_key("tag");
        let (force, dry_run) = (config.force()?, config.dry_run()?);
        if !force && parsed.is_prerelease() && is_usual_tag && !self.gives("tag") {
            return Err(PublishError::Prerelease { version }.into());
        }
        (self.shows)(&tarball);
        let session = self.open(&own)?;
        let registry = Registry::of(&session, Some(&name), "publish", self.told)?;
        let (environment, settings) = (self.environment, session.config());
        let exchange = trusted::exchange(&registry, environment, settings, &name);
        if is_workspace && is_private(&manifest) {
            return Err(PublishError::Private { name }.into());
        }
        if !registry.has_credentials() {
            if let Exchange::Failed(why) = &exchange {
                let text = format!("the registry did not take the job's identity token: {why}");
                self.told.warning(&text);
            }
            if !dry_run {
                return Err(AuthorError::NoCredentials { registry: registry.shown() });
            }
            let registry = registry.shown();
            self.told.warning(&format!("publishing needs a login to {registry} (dry run)"));
        }
        let takes_latest = is_usual_tag && !self.gives("tag");
        if !force {
            refuse_known(&registry, &name, &parsed, takes_latest)?;
        }
        let (tag, access) = (session.config().tag()?, access(session.config())?);
        let verb = if self.is_staged { "Staging" } else { "Publishing" };
        let end = if dry_run { " (dry run)" } else { "" };
        let shown = access.as_deref().unwrap_or("default");
        let place = registry.shown();
        self.told.notice(&format!("{verb} to {place} with tag {tag} and {shown} access{end}"));
        let mut stage = None;
        if !dry_run {
            if is_private(&manifest) {
                return Err(PublishError::Private { name }.into());
            }
            if access.as_deref() == Some("restricted") && !name.starts_with('@') {
                return Err(PublishError::Unscoped { name }.into());
            }
            let node = session.node().map(|node| node.version.to_string());
            document::complete(&mut manifest, &tarball, &registry.base, node.as_deref());
            let bundle = self.bundle(&registry, &tarball, &parsed, access.as_deref(), &exchange)?;
            let body = document(&manifest, &tarball, &tag, access.as_deref(), bundle.as_ref());
            let escaped = escaped(&name);
            if self.is_staged {
                let path = format!("-/stage/package/{escaped}");
                let answer =
                    registry.send(&Method::POST, &path, Some(&body), &Default::default())?;
                let answer = answer.json();
                stage = answer.get("stageId").and_then(Value::as_str).map(str::to_owned);
            } else {
                registry.change(&Method::PUT, &escaped, Some(&body))?;
            }
        }
        Ok(Published { tarball, stage })
    }

    /// Returns the bundle that vouches for the build, if one is wanted.
    fn bundle(
        &self,
        registry: &Registry<'_>,
        tarball: &Tarball,
        version: &Version,
        access: Option<&str>,
        exchange: &Exchange,
    ) -> Result<Option<Value>, AuthorError> {
        let config = registry.config();
        let file = config.provenance_file()?;
        let is_wanted = config.provenance()?
            || *exchange == Exchange::Done { with_provenance: true } && file.is_none();
        let subject = Subject::of(tarball, &version.to_string());
        match (is_wanted, file) {
            (true, Some(_)) => Err(PublishError::Provenances.into()),
            (true, None) => {
                provenance::sign(registry, self.environment, tarball, &subject, access).map(Some)
            }
            (false, Some(file)) => {
                let file = self.environment.folder.join(file);
                provenance::read(registry, &file, &subject).map(Some)
            }
            (false, None) => Ok(None),
        }
    }

    fn gives(&self, key: &str) -> bool {
        self.flags.iter().any(|(given, _)| given == key)
    }
}

/// Checks that a word can be a dist-tag: it is no range of versions, and stands in an address as it
/// is, as npm requires.
///
/// # Errors
/// It cannot.
pub(crate) fn check_tag(tag: &str) -> Result<(), PublishError> {
    let tag = tag.trim();
    if Range::parse(tag).is_ok() {
        return Err(PublishError::Tag { tag: tag.to_owned() });
    }
    if !tag.bytes().all(is_plain) {
        return Err(PublishError::TagCharacters { tag: tag.to_owned() });
    }
    Ok(())
}

/// Returns whether a manifest is marked as private.
fn is_private(manifest: &Map<String, Value>) -> bool {
    !matches!(manifest.get("private"), None | Some(Value::Null | Value::Bool(false)))
}

/// Returns who may install the package; npm's `private` is an old word for `restricted`.
fn access(config: &Config) -> Result<Option<String>, AuthorError> {
    let access = config.access()?.filter(|access| !access.is_empty() && access != "null");
    Ok(access.map(|access| if access == "private" { "restricted".to_owned() } else { access }))
}

/// Returns the settings of `publishConfig` that concern the publication, unless the command line
/// gives them.
fn own_settings(
    publish_config: &Map<String, Value>,
    flags: &[(String, String)],
    told: &dyn Told,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in publish_config {
        if flags.iter().any(|(given, _)| given == key) {
            continue;
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => continue,
        };
        let is_of_publishing = matches!(key.as_str(), "registry" | "tag" | "access" | "provenance")
            || key.ends_with(":registry");
        if is_of_publishing {
            found.push((key.clone(), value));
        } else if OptionInfo::find(key).is_some() {
            told.warning(&format!("\"{key}\" in publishConfig has no effect: put it into .npmrc"));
        }
    }
    found
}

/// Refuses a version that is there, and one that is older than the latest.
fn refuse_known(
    registry: &Registry<'_>,
    name: &str,
    version: &Version,
    takes_latest: bool,
) -> Result<(), AuthorError> {
    // A package that cannot be read may be new.
    let Ok(packument) = registry.get(&escaped(name)) else { return Ok(()) };
    let versions = packument.get("versions").and_then(Value::as_object);
    let known = versions.into_iter().flatten().filter_map(|(text, value)| {
        let found = Version::parse_loose(text).ok()?;
        let is_deprecated =
            value.get("deprecated").is_some_and(|told| told != "" && !told.is_null());
        (!found.is_prerelease() && !is_deprecated).then_some(found)
    });
    let known: Vec<Version> = known.collect();
    if known.contains(version) {
        let (name, version) = (name.to_owned(), version.to_string());
        return Err(PublishError::Published { name, version }.into());
    }
    match known.iter().max().filter(|highest| takes_latest && *highest >= version) {
        Some(highest) => {
            let (name, version) = (name.to_owned(), version.to_string());
            Err(PublishError::Older { name, version, highest: highest.to_string() }.into())
        }
        None => Ok(()),
    }
}

/// Returns the manifest of an unpacked tarball as it is published.
fn prepared(folder: &Path) -> Result<Map<String, Value>, AuthorError> {
    let file = PackageFile::read(folder)?;
    let wrong = |problem| AuthorError::Field { path: file.path(), problem };
    let mut manifest = Normalised::new(&file.content);
    manifest.prepare(folder).map_err(wrong)?;
    Ok(manifest.data)
}

/// The files of a tarball in a folder that is removed again.
struct Unpacked {
    path: PathBuf,
}

impl Unpacked {
    fn of(tarball: &Tarball, environment: &Environment) -> Result<Self, AuthorError> {
        let temporary = ["TMPDIR", "TEMP", "TMP"].iter().find_map(|key| environment.variable(key));
        let path = Path::new(temporary.unwrap_or("/tmp"))
            .join(dx_pkg_os::files::unique_name("dx-publish-"));
        let failed = |error| {
            AuthorError::from(dx_pkg_acquire::AcquireError::io("unpacking the tarball", error))
        };
        dx_pkg_os::files::create_private_dir(&path).map_err(failed)?;
        let folder = Unpacked { path };
        let limits = dx_pkg_compat::tarball::Limits::default();
        let package = tarball.file_name();
        let unpacked = dx_pkg_compat::tarball::unpack(&tarball.bytes, &limits)
            .map_err(|source| AuthorError::Tarball { package, source })?;
        // What a manifest is completed by lies beside it.
        for file in unpacked.entries().iter().filter(|file| !file.path.contains('/')) {
            std::fs::write(folder.path.join(file.path), file.data).map_err(failed)?;
        }
        Ok(folder)
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
