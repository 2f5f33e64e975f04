//! Answers by which a registry refuses, and the reasons it gives.

use super::tarballs::fetch;
use super::*;

fn refusing(code: u16, body: &str) -> Fault {
    Fault::Status { code, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// Returns message and hint for packument and tarball of a package that is refused.
async fn told(fault: Fault, npmrc: &str) -> [String; 2] {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let npmrc = format!(
        "registry={}\n{}",
        registry.url(),
        npmrc.replace("HOST", &format!("127.0.0.1:{}", registry.port()))
    );
    let client = client(&(npmrc + "fetch-retries=0\n"));
    registry.fault("*", fault);
    let packument = ask(&client, "a").await.unwrap_err();
    let tarball = fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap_err();
    [packument, tarball].map(|error| format!("{error} | {}", error.hint().unwrap_or_default()))
}

#[tokio::test]
async fn the_reason_is_shown_whatever_the_status() {
    for code in [400, 401, 402, 403, 404, 409, 410, 422, 429, 451, 500, 503] {
        let body = r#"{"error":"Blocked by policy: CVE-2026-0001 in a@1.0.0"}"#;
        for text in told(refusing(code, body), "").await {
            assert!(text.contains(": Blocked by policy: CVE-2026-0001 in a@1.0.0"), "{text}");
            assert_eq!(text.contains("no credentials"), code == 401, "{text}");
        }
    }
}

#[tokio::test]
async fn missing_credentials_are_named_only_where_they_may_be_the_cause() {
    let token = "//HOST/:_authToken=wrong\n";
    for (code, body, npmrc, expected) in [
        (401, "", "", "no credentials are configured for it"),
        (401, "", token, "the credentials sent are not accepted"),
        (403, "", "", "no credentials are configured for it"),
        (403, "Forbidden", "", "no credentials are configured for it"),
        (403, "", token, "the credentials sent are not accepted"),
        (401, "token expired", token, "token expired"),
        (403, "held back", token, "held back"),
    ] {
        for text in told(refusing(code, body), npmrc).await {
            let said = format!("/a/-/a-1.0.0.tgz: {expected} |");
            assert!(text.contains(&said) || text.contains(&format!("/a: {expected} |")), "{text}");
        }
    }
}

#[tokio::test]
async fn a_policys_403_is_not_answered_with_advice_to_log_in_alone() {
    for text in told(refusing(403, "the version is quarantined"), "").await {
        assert!(text.contains("another version"), "{text}");
    }
}

#[tokio::test]
async fn a_notice_of_npm_is_shown_with_the_reason() {
    let fault = refusing(403, "held back").header("npm-notice", "ask the platform team");
    for text in told(fault, "").await {
        assert!(text.contains("held back; ask the platform team"), "{text}");
    }
}
