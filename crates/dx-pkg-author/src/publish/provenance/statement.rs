//! The statements: what a job of each service says of its build.

use dx_pkg_install::Environment;
use serde_json::{Map, Value, json};

/// The variables of a job of GitLab's that its statement lists.
const GITLAB: [&str; 77] = [
    "CI",
    "CI_API_GRAPHQL_URL",
    "CI_API_V4_URL",
    "CI_BUILD_BEFORE_SHA",
    "CI_BUILD_ID",
    "CI_BUILD_NAME",
    "CI_BUILD_REF",
    "CI_BUILD_REF_NAME",
    "CI_BUILD_REF_SLUG",
    "CI_BUILD_STAGE",
    "CI_COMMIT_BEFORE_SHA",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_REF_NAME",
    "CI_COMMIT_REF_PROTECTED",
    "CI_COMMIT_REF_SLUG",
    "CI_COMMIT_SHA",
    "CI_COMMIT_SHORT_SHA",
    "CI_COMMIT_TIMESTAMP",
    "CI_COMMIT_TITLE",
    "CI_CONFIG_PATH",
    "CI_DEFAULT_BRANCH",
    "CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX",
    "env.CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX,",
    "CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX",
    "CI_DEPENDENCY_PROXY_SERVER",
    "CI_DEPENDENCY_PROXY_USER",
    "CI_JOB_ID",
    "CI_JOB_NAME",
    "CI_JOB_NAME_SLUG",
    "CI_JOB_STAGE",
    "CI_JOB_STARTED_AT",
    "CI_JOB_URL",
    "CI_NODE_TOTAL",
    "CI_PAGES_DOMAIN",
    "CI_PAGES_URL",
    "CI_PIPELINE_CREATED_AT",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_IID",
    "CI_PIPELINE_SOURCE",
    "CI_PIPELINE_URL",
    "CI_PROJECT_CLASSIFICATION_LABEL",
    "CI_PROJECT_DESCRIPTION",
    "CI_PROJECT_ID",
    "CI_PROJECT_NAME",
    "CI_PROJECT_NAMESPACE",
    "CI_PROJECT_NAMESPACE_ID",
    "CI_PROJECT_PATH",
    "CI_PROJECT_PATH_SLUG",
    "CI_PROJECT_REPOSITORY_LANGUAGES",
    "CI_PROJECT_ROOT_NAMESPACE",
    "CI_PROJECT_TITLE",
    "CI_PROJECT_URL",
    "CI_PROJECT_VISIBILITY",
    "CI_REGISTRY",
    "CI_REGISTRY_IMAGE",
    "CI_REGISTRY_USER",
    "CI_RUNNER_DESCRIPTION",
    "CI_RUNNER_ID",
    "CI_RUNNER_TAGS",
    "CI_SERVER_HOST",
    "CI_SERVER_NAME",
    "CI_SERVER_PORT",
    "CI_SERVER_PROTOCOL",
    "CI_SERVER_REVISION",
    "CI_SERVER_SHELL_SSH_HOST",
    "CI_SERVER_SHELL_SSH_PORT",
    "CI_SERVER_URL",
    "CI_SERVER_VERSION",
    "CI_SERVER_VERSION_MAJOR",
    "CI_SERVER_VERSION_MINOR",
    "CI_SERVER_VERSION_PATCH",
    "CI_TEMPLATE_REGISTRY_HOST",
    "GITLAB_CI",
    "GITLAB_FEATURES",
    "GITLAB_USER_ID",
    "GITLAB_USER_LOGIN",
    "RUNNER_GENERATE_ARTIFACTS_METADATA",
];

/// Returns the statement of a job of GitHub Actions: in-toto 1 with SLSA provenance 1.
pub(super) fn of_github(environment: &Environment, subject: Value) -> Value {
    let text = |key: &str| environment.variable(key).unwrap_or_default();
    let (server, repository) = (text("GITHUB_SERVER_URL"), text("GITHUB_REPOSITORY"));
    let home = format!("{server}/{repository}");
    let workflow = text("GITHUB_WORKFLOW_REF").replacen(&format!("{repository}/"), "", 1);
    let (path, reference) = workflow.split_once('@').unwrap_or((&workflow, ""));
    let run = text("GITHUB_RUN_ID");
    let attempt = text("GITHUB_RUN_ATTEMPT");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType":
                    "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
                "externalParameters": {
                    "workflow": { "ref": reference, "repository": home, "path": path },
                },
                "internalParameters": {
                    "github": defined(&[
                        ("event_name", environment.variable("GITHUB_EVENT_NAME")),
                        ("repository_id", environment.variable("GITHUB_REPOSITORY_ID")),
                        ("repository_owner_id", environment.variable("GITHUB_REPOSITORY_OWNER_ID")),
                    ]),
                },
                "resolvedDependencies": [{
                    "uri": format!("git+{home}@{}", text("GITHUB_REF")),
                    "digest": defined(&[("gitCommit", environment.variable("GITHUB_SHA"))]),
                }],
            },
            "runDetails": {
                "builder": {
                    "id": format!(
                        "https://github.com/actions/runner/{}",
                        text("RUNNER_ENVIRONMENT")
                    ),
                },
                "metadata": {
                    "invocationId": format!("{home}/actions/runs/{run}/attempts/{attempt}"),
                },
            },
        },
    })
}

/// Returns the statement of a job of GitLab's: in-toto 0.1 with SLSA provenance 0.2.
pub(super) fn of_gitlab(environment: &Environment, subject: Value) -> Value {
    let variable = |key: &str| set(environment, key);
    let text = |key: &str| variable(key).unwrap_or_default();
    let project = text("CI_PROJECT_URL");
    let source = format!("git+{project}");
    let commit = || defined(&[("sha1", variable("CI_COMMIT_SHA"))]);
    let parameters: Vec<_> = GITLAB.iter().map(|key| (*key, variable(key))).collect();
    let mut config = Map::new();
    config.insert("uri".to_owned(), source.as_str().into());
    config.insert("digest".to_owned(), commit());
    if let Some(job) = variable("CI_JOB_NAME") {
        config.insert("entryPoint".to_owned(), job.into());
    }
    let mut place = defined(&[
        ("name", variable("CI_RUNNER_DESCRIPTION")),
        ("architecture", variable("CI_RUNNER_EXECUTABLE_ARCH")),
        ("server", variable("CI_SERVER_URL")),
        ("project", variable("CI_PROJECT_PATH")),
    ]);
    place["job"] = defined(&[("id", variable("CI_JOB_ID"))]);
    place["pipeline"] =
        defined(&[("id", variable("CI_PIPELINE_ID")), ("ref", variable("CI_CONFIG_PATH"))]);
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {
            "buildType": "https://github.com/npm/cli/gitlab/v0alpha1",
            "builder": { "id": format!("{project}/-/runners/{}", text("CI_RUNNER_ID")) },
            "invocation": {
                "configSource": config,
                "parameters": defined(&parameters),
                "environment": place,
            },
            "metadata": {
                "buildInvocationId": text("CI_JOB_URL"),
                "completeness": { "parameters": true, "environment": true, "materials": false },
                "reproducible": false,
            },
            "materials": [{ "uri": source, "digest": commit() }],
        },
    })
}

/// Returns the value of a variable that is set, if to nothing.
fn set<'e>(environment: &'e Environment, key: &str) -> Option<&'e str> {
    let own = environment.variables.iter().find(|(known, _)| known == key);
    own.map(|(_, value)| value.as_str())
}

/// Returns an object of what is set.
fn defined(fields: &[(&str, Option<&str>)]) -> Value {
    let set = fields.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.into())));
    Value::Object(set.collect())
}
