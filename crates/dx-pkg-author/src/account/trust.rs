//! Trusted publishers of a package: pipelines that may publish it without a token.

use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};

use super::{Account, Named, Said, usage_error};
use crate::AuthorError;
use crate::members::written_manifest;
use crate::node_text::as_text;
use crate::registry::escaped;
use dx_pkg_compat::hosted::percent;

const USAGE: &str = "dx trust github|gitlab [PACKAGE] --file=FILE --repository|--project=NAME | \
                     dx trust circleci [PACKAGE] --org-id=… --project-id=… \
                     --pipeline-definition-id=… --vcs-origin=… | list [PACKAGE] | \
                     revoke [PACKAGE] --id=ID";

/// What a trusted publisher is told by, as flags give it.
#[derive(Clone, Debug, Default)]
pub struct TrustFlags {
    /// The file of the workflow or pipeline.
    pub file: Option<String>,
    /// The repository or project.
    pub repository: Option<String>,
    /// The environment of the pipeline.
    pub environment: Option<String>,
    /// Whether it may publish.
    pub publish: bool,
    /// Whether it may stage publications.
    pub stage: bool,
    /// The id of a trusted publisher.
    pub id: Option<String>,
    /// CircleCI's organisation, project, pipeline and origin.
    pub circleci: [Option<String>; 4],
    /// CircleCI's contexts.
    pub contexts: Vec<String>,
    /// Whether no question is asked.
    pub yes: bool,
}

/// Adds, lists or revokes trusted publishers, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn trust(
    account: &Account<'_>,
    words: &[String],
    flags: &TrustFlags,
) -> Result<Said, AuthorError> {
    let name = match words.get(1) {
        Some(word) => Named::read(word)?.name,
        None => account.own_name(USAGE)?,
    };
    let path = format!("-/package/{}/trust", escaped(&name));
    match words.first().map(String::as_str) {
        Some("list" | "ls") => {
            let found = account.registry(Some(&name))?.change(&Method::GET, &path, None)?.json();
            Ok(Said::new(shown(&found, &name), found))
        }
        Some("revoke") => {
            let missing = || usage_error("the id of a trusted publisher is needed: --id", USAGE);
            let id = flags.id.as_deref().ok_or_else(missing)?;
            if !account.config().dry_run()? {
                let path = format!("{path}/{}", percent(id));
                account.registry(Some(&name))?.change(&Method::DELETE, &path, None)?;
            }
            let text = format!("Revoked trusted configuration for package {name} with id {id}");
            Ok(Said::new(text, json!({ "package": name, "id": id })))
        }
        Some(kind @ ("github" | "gitlab" | "circleci")) => {
            let mut body = claims(account, kind, words.get(1).is_none(), flags)?;
            let mut permissions = Vec::new();
            if flags.publish {
                permissions.push("createPackage");
            }
            if flags.stage {
                permissions.push("createStagedPackage");
            }
            if permissions.is_empty() {
                let message = "what it may do is needed: --allow-publish or --allow-stage-publish";
                return Err(usage_error(message, USAGE));
            }
            body["permissions"] = permissions.into();
            account.told.notice(&format!(
                "Whoever can change that repository can publish {name}:\n{}",
                shown(&json!([body]), &name)
            ));
            if account.config().dry_run()? {
                return Ok(Said::new("", body));
            }
            let is_wanted = flags.yes
                || account.told.can_answer()
                    && account
                        .told
                        .ask("Do you want to proceed? (y/N)")
                        .is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes"));
            if !is_wanted {
                return Err(usage_error(
                    "nothing was changed; --yes goes on without a question",
                    USAGE,
                ));
            }
            let registry = account.registry(Some(&name))?;
            let found = registry.change(&Method::POST, &path, Some(&json!([body])))?.json();
            let head = format!(
                "Trust configuration created successfully for {name} with the following settings:"
            );
            Ok(Said::new(format!("{head}\n{}", shown(&found, &name)), found))
        }
        _ => Err(usage_error("dx trust does not understand this", USAGE)),
    }
}

/// Returns what a registry is told of a publisher.
fn claims(
    account: &Account<'_>,
    kind: &str,
    is_own: bool,
    flags: &TrustFlags,
) -> Result<Value, AuthorError> {
    let usage = |message: String| usage_error(message, USAGE);
    if kind == "circleci" {
        const NAMES: [&str; 4] = ["org-id", "project-id", "pipeline-definition-id", "vcs-origin"];
        let mut claims = Map::new();
        for (name, value) in NAMES.iter().zip(&flags.circleci) {
            let value = value.as_deref().ok_or_else(|| usage(format!("--{name} is needed")))?;
            claims.insert(format!("oidc.circleci.com/{name}"), value.into());
        }
        if !flags.contexts.is_empty() {
            let contexts = flags.contexts.clone();
            claims.insert("oidc.circleci.com/context-ids".to_owned(), contexts.into());
        }
        return Ok(json!({ "type": kind, "claims": claims }));
    }
    let file = flags.file.as_deref().ok_or_else(|| usage("--file is needed".to_owned()))?;
    let is_pipeline = file.ends_with(".yml") || file.ends_with(".yaml");
    if !is_pipeline || file.contains(['/', '\\']) {
        return Err(usage(format!(
            "{file:?} is no name of a .yml or .yaml file, without a folder"
        )));
    }
    let own = || is_own.then(|| own_repository(account, kind)).flatten();
    let repository = flags.repository.clone().or_else(own);
    let repository = repository.ok_or_else(|| {
        usage(format!("--{} is needed", if kind == "github" { "repository" } else { "project" }))
    })?;
    let parts = repository.split('/').count();
    if parts < 2 || kind == "github" && parts != 2 {
        return Err(usage(format!("{repository:?} is not of the form OWNER/NAME")));
    }
    let mut claims = Map::new();
    let (place, of_file) = match kind {
        "github" => ("repository", "workflow_ref"),
        _ => ("project_path", "ci_config_ref_uri"),
    };
    claims.insert(place.to_owned(), repository.into());
    claims.insert(of_file.to_owned(), json!({ "file": file }));
    if let Some(environment) = &flags.environment {
        claims.insert("environment".to_owned(), environment.as_str().into());
    }
    Ok(json!({ "type": kind, "claims": claims }))
}

/// Returns `owner/name` of the package's repository on this site.
fn own_repository(account: &Account<'_>, kind: &str) -> Option<String> {
    let manifest = written_manifest(account.folder)?;
    let repository = manifest.get("repository")?;
    let url = repository.get("url").unwrap_or(repository).as_str()?;
    dx_pkg_compat::hosted::Hosted::read(url)?.path_on(kind)
}

/// Returns trusted publishers for people.
fn shown(found: &Value, name: &str) -> String {
    let items = match found {
        Value::Array(items) => items.clone(),
        Value::Object(_) => vec![found.clone()],
        _ => Vec::new(),
    };
    if items.is_empty() {
        return format!("No trust configurations found for package ({name})");
    }
    let item = |item: &Value| {
        let mut lines = Vec::new();
        let claims = item.get("claims").cloned().unwrap_or_default();
        let claim = |keys: &[&str]| {
            let found = keys.iter().try_fold(&claims, |value, key| value.get(*key))?;
            Some(as_text(found))
        };
        let own = |key: &str| item.get(key).filter(|value| !value.is_null()).map(as_text);
        let mut put = |key: &str, value: Option<String>| {
            lines.extend(
                value.filter(|value| !value.is_empty()).map(|value| format!("{key}: {value}")),
            );
        };
        put("type", own("type"));
        put("id", own("id"));
        put("file", claim(&["workflow_ref", "file"]));
        put("file", claim(&["ci_config_ref_uri", "file"]));
        put("repository", claim(&["repository"]));
        put("project", claim(&["project_path"]));
        put("environment", claim(&["environment"]));
        for (key, name) in [
            ("oidc.circleci.com/org-id", "orgId"),
            ("oidc.circleci.com/project-id", "projectId"),
            ("oidc.circleci.com/pipeline-definition-id", "pipelineDefinitionId"),
            ("oidc.circleci.com/vcs-origin", "vcsOrigin"),
            ("oidc.circleci.com/context-ids", "contextIds"),
        ] {
            put(name, claim(&[key]));
        }
        let permissions = item.get("permissions").and_then(Value::as_array);
        let words = permissions.into_iter().flatten().map(|one| match one.as_str() {
            Some("createPackage") => "publish".to_owned(),
            Some("createStagedPackage") => "stage publish".to_owned(),
            _ => as_text(one),
        });
        let words: Vec<String> = words.collect();
        put("permissions", Some(words.join(", ")));
        lines.join("\n")
    };
    items.iter().map(item).collect::<Vec<_>>().join("\n\n")
}
