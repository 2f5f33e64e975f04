use super::*;

fn decoded(answer: PackumentAnswer) -> (Packument, Validator, u64, bool) {
    match answer {
        PackumentAnswer::Modified { bytes, validator, lifetime, full, .. } => {
            (Packument::decode(Arc::new(bytes)).unwrap(), validator, lifetime.fresh_for_ms, full)
        }
        PackumentAnswer::NotModified { .. } => panic!("not modified"),
    }
}

#[tokio::test]
async fn an_abbreviated_packument_is_asked_for_and_encoded() {
    let registry = Registry::start();
    registry.package("@s/a", "1.2.3").dep("b", "^1").publish();
    let (packument, validator, fresh_for_ms, full) =
        decoded(ask(&client_of(&registry), "@s/a").await.unwrap());
    assert_eq!(packument.name(), "@s/a");
    assert_eq!(
        packument.versions().map(|version| version.version_str().to_owned()).collect::<Vec<_>>(),
        ["1.2.3"]
    );
    assert!(validator.etag.is_some() && validator.last_modified.is_some());
    assert_eq!((fresh_for_ms, full), (300_000, false));
    let request = &registry.requests()[0];
    assert_eq!(request.path, "/@s%2fa");
    assert_eq!(
        request.header("accept"),
        Some("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")
    );
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_full_packument_is_full_asked_for_or_not() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    let client = client_of(&registry);
    let asked = client
        .packument(request(&name("a"), PackumentForm::Full, None), |answer| answer)
        .await
        .unwrap();
    let (packument, _, _, full) = decoded(asked);
    assert!(full);
    assert_eq!(packument.versions().next().unwrap().published(), Some(1_577_836_800_000));
    registry.fault("/a", Fault::FullPackument);
    assert!(decoded(ask(&client, "a").await.unwrap()).3);
}

#[tokio::test]
async fn a_missing_package_is_asked_for_once_where_the_form_is_known() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    let asked = |path: &str| registry.requests().iter().filter(|one| one.path == path).count();
    // It may be the form that is not known.
    ask(&client, "gone").await.unwrap_err();
    assert_eq!(asked("/gone"), 2);
    ask(&client, "a").await.unwrap();
    ask(&client, "gone-too").await.unwrap_err();
    assert_eq!(asked("/gone-too"), 1);
}

#[tokio::test]
async fn an_unchanged_packument_is_not_sent_again() {
    let registry = Registry::start();
    registry.cache_control("public, max-age=77, stale-while-revalidate=9");
    registry.without_gzip();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    let (_, validator, ..) = decoded(ask(&client, "a").await.unwrap());
    let form = PackumentForm::Abbreviated;
    let again = client
        .packument(request(&name("a"), form, Some(&validator)), |answer| answer)
        .await
        .unwrap();
    assert_eq!(
        again,
        PackumentAnswer::NotModified {
            lifetime: Some(Lifetime { fresh_for_ms: 77_000, stale_for_ms: 9_000 })
        }
    );
    registry.package("a", "1.1.0").publish();
    let changed = client
        .packument(request(&name("a"), form, Some(&validator)), |answer| answer)
        .await
        .unwrap();
    assert_eq!(decoded(changed).0.len(), 2);
}

#[tokio::test]
async fn an_unknown_package_is_told_with_its_registry_and_the_key_to_set() {
    let registry = Registry::start();
    let error = ask(&client_of(&registry), "@s/secret").await.unwrap_err();
    assert_eq!(error.code(), "DX_PACKAGE_NOT_FOUND");
    let (text, hint) = (error.to_string(), error.hint().unwrap());
    assert!(text.contains("@s/secret") && text.contains(registry.url()), "{text}");
    assert!(hint.contains(&format!("//127.0.0.1:{}/:_authToken", registry.port())), "{hint}");
}

#[tokio::test]
async fn missing_and_wrong_credentials_are_told_apart_and_never_shown() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.require_token("right-token");
    let missing = ask(&client_of(&registry), "a").await.unwrap_err();
    let wrong = ask(&client(&with_token(&registry, "wrong-token")), "a").await.unwrap_err();
    for (error, expected) in [(missing, "no credentials"), (wrong, "not accepted")] {
        assert_eq!(error.code(), "DX_UNAUTHORIZED");
        let text = format!("{error} {error:?} {}", error.hint().unwrap());
        assert!(text.contains(expected) && !text.contains("wrong-token"), "{text}");
        assert!(text.contains(&format!("//127.0.0.1:{}/:_authToken", registry.port())), "{text}");
    }
    ask(&client(&with_token(&registry, "right-token")), "a").await.unwrap();
    assert_eq!(registry.requests().len(), 3, "a refusal was tried again");
}

#[tokio::test]
async fn a_scope_asks_its_own_registry_with_its_own_credentials() {
    let (public, private) = (Registry::start(), Registry::start());
    private.package("@s/a", "1.0.0").publish();
    private.require_token("private-token");
    public.package("a", "1.0.0").publish();
    let npmrc = format!("registry={}\n@s:registry={}\n", public.url(), private.url());
    let token = format!("//127.0.0.1:{}/:_authToken=private-token\n", private.port());
    let client = client(&(npmrc + &token));
    ask(&client, "@s/a").await.unwrap();
    ask(&client, "a").await.unwrap();
    assert_eq!(public.requests().len(), 1);
    assert_eq!(public.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn what_is_no_packument_is_shown_made_plain() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let page = b"<!DOCTYPE html>\n<title>\x1b]0;gotcha\x07Log \x1b[31min</title>".to_vec();
    registry.fault("/a", Fault::Body(page));
    let error = ask(&client_of(&registry), "a").await.unwrap_err();
    assert_eq!(error.code(), "DX_BAD_PACKUMENT");
    assert!(error.to_string().contains("<!DOCTYPE html> <title>Log in</title>"), "{error}");
    assert!(error.hint().unwrap().contains("login page"));
    registry.clear_faults();
    registry.fault("/a", Fault::bad_json());
    assert_eq!(ask(&client_of(&registry), "a").await.unwrap_err().code(), "DX_BAD_PACKUMENT");
}

#[tokio::test]
async fn a_registry_that_fails_for_a_moment_is_asked_again() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    for fault in [Fault::status(503), Fault::Drop, Fault::Truncate] {
        let fault = registry.fault("/a", fault).times(2);
        ask(&client, "a").await.unwrap();
        assert_eq!(fault.hits(), 2);
        registry.clear_faults();
    }
    registry.fault("/a", Fault::status(500));
    let error = ask(&client, "a").await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_STATUS");
    assert!(error.to_string().contains("in 3 tries"), "{error}");
}

#[tokio::test]
async fn a_registry_that_knows_only_the_full_form_is_asked_for_that() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.fault("/a", Fault::status(406)).times(1);
    assert!(decoded(ask(&client_of(&registry), "a").await.unwrap()).3);
    assert_eq!(registry.requests()[1].header("accept"), Some("application/json"));
}
