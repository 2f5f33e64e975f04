//! `dx publish --provenance` and trusted publishing, with a service of continuous integration, an
//! authority and a log that the tests play.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dx_pkg_testkit::provenance::{IDENTITY, ISSUER, bundle};
use serde_json::{Value, json};

/// A request: method and target, `Authorization`, body.
type Asked = (String, String, Value);

/// What the service answers.
#[derive(Clone, Debug)]
struct Answers {
    is_public: bool,
    exchanges: bool,
    certifies: bool,
}

const ALL: Answers = Answers { is_public: true, exchanges: true, certifies: true };

/// GitHub, the registry, Fulcio and Rekor at one address.
struct World {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Returns an identity token, whose signature nobody here verifies.
fn identity(audience: &str, visibility: &str) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "aud": audience, "sub": "repo:acme/tool:ref:refs/heads/main",
        "repository_visibility": visibility, "project_visibility": visibility,
    });
    format!("{}.{}.c2ln", encode(json!({ "alg": "RS256" })), encode(claims))
}

impl World {
    fn start(answers: Answers) -> World {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answers) = (Arc::clone(&shared), answers.clone());
                std::thread::spawn(move || while converse(&stream, &shared, &answers) {});
            }
        });
        World { url, asked }
    }

    fn asked(&self, request: &str) -> Vec<(String, Value)> {
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().filter(|(own, ..)| own == request);
        found.map(|(_, authorization, body)| (authorization.clone(), body.clone())).collect()
    }

    /// Runs dx in a project, as a job of a service; with a token of the user's, or without.
    fn run(&self, words: &[&str], project: &Path, job: &[(&str, &str)], token: bool) -> Output {
        let home = project.parent().unwrap().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let place = self.url.strip_prefix("http:").unwrap();
        let mut text = format!(
            "registry={0}/registry/\nfulcio-url={0}/fulcio\nrekor-url={0}/rekor/\nfetch-retries=0\n",
            self.url
        );
        if token {
            text += &format!("{place}/registry/:_authToken=of-the-user\n");
        }
        std::fs::write(home.join(".npmrc"), text).unwrap();
        Command::new(env!("CARGO_BIN_EXE_dx"))
            .args(words)
            .current_dir(project)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("DX_STORE", home.join("store"))
            .env("CI", "true")
            .envs(job.iter().map(|(key, value)| (*key, value.replace("<url>", &self.url))))
            .output()
            .unwrap()
    }
}

/// The variables of a job of GitHub's that may ask for identity tokens.
const GITHUB: [(&str, &str); 13] = [
    ("GITHUB_ACTIONS", "true"),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "<url>/identity?version=1"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job"),
    ("GITHUB_SERVER_URL", "https://git.example"),
    ("GITHUB_REPOSITORY", "acme/tool"),
    ("GITHUB_WORKFLOW_REF", "acme/tool/.github/workflows/release.yml@refs/tags/v1.2.3"),
    ("GITHUB_REF", "refs/tags/v1.2.3"),
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_REPOSITORY_ID", "11"),
    ("GITHUB_RUN_ID", "22"),
    ("GITHUB_RUN_ATTEMPT", "1"),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
];

fn converse(stream: &TcpStream, asked: &Mutex<Vec<Asked>>, answers: &Answers) -> bool {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return false;
    }
    let request = line.rsplit_once(' ').unwrap().0.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((key, value)) if key.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((key, value)) if key.eq_ignore_ascii_case("authorization") => {
                value.clone_into(&mut authorization);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = answer(&request, &authorization, &body, answers);
    asked.lock().unwrap().push((request, authorization, body));
    let text = answer.to_string();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", text.len());
    let mut writer = stream;
    writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(text.as_bytes())).is_ok()
}

fn answer(request: &str, authorization: &str, body: &Value, answers: &Answers) -> (u16, Value) {
    let (method, target) = request.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    match (method, path) {
        ("GET", "/identity") => {
            assert_eq!(authorization, "Bearer of-the-job");
            let audience = target.rsplit_once("audience=").unwrap().1.replace("%3A", ":");
            let visibility = if answers.is_public { "public" } else { "private" };
            (200, json!({ "value": identity(&audience, visibility) }))
        }
        ("POST", path) if path.starts_with("/-/npm/v1/oidc/token/exchange/package/") => {
            match answers.exchanges {
                true => (201, json!({ "token": "of-the-exchange" })),
                false => (404, json!({ "message": "no publisher" })),
            }
        }
        ("GET", path) if path.ends_with("/visibility") => match answers.is_public {
            true => (200, json!({ "public": true })),
            false => (404, json!({})),
        },
        ("POST", "/fulcio/api/v2/signingCert") if answers.certifies => (
            200,
            json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": [
                certificate(body), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            ] } } }),
        ),
        ("POST", "/fulcio/api/v2/signingCert") => (400, json!({ "message": "not now" })),
        ("POST", "/rekor/api/v1/log/entries") => {
            let entry = json!({
                "body": STANDARD.encode(body.to_string()),
                "integratedTime": 1_700_000_000, "logID": "c0ffee", "logIndex": 42,
                "verification": {
                    "signedEntryTimestamp": "c2V0",
                    "inclusionProof": { "checkpoint": "log\n7\n", "hashes": ["00ff", "01"],
                        "logIndex": 41, "rootHash": "abcd", "treeSize": 43 },
                },
            });
            (201, json!({ "uuid": entry }))
        }
        ("PUT", _) => (201, json!({ "ok": true })),
        _ => (404, json!({ "error": "not found" })),
    }
}

/// Returns a certificate in PEM. Its key is the one that the request proves to have: the tests look
/// for it behind the beginning, which stands for the rest of a certificate.
fn certificate(request: &Value) -> String {
    let key = request["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
    key.replace("PUBLIC KEY", "CERTIFICATE")
}

fn project(root: &Path, manifest: &Value) -> std::path::PathBuf {
    let project = root.join("project");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("package.json"), manifest.to_string()).unwrap();
    project
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Verifies with Node's own functions that a signature is by a key over a message.
fn verifies(key: &str, message: &[u8], signature: &str) -> bool {
    let code = "const [key, message, signature] = process.argv.slice(1);\
        const bytes = (text) => Buffer.from(text, 'base64');\
        process.exit(require('crypto').verify('sha256', bytes(message), key, bytes(signature)) ? 0 : 1)";
    let status = Command::new("node")
        .args(["-e", code, "--", key, &STANDARD.encode(message), signature])
        .status()
        .unwrap();
    status.success()
}

#[test]
fn build_is_signed_by_a_certified_key_and_logged() {
    if !dx_pkg_testkit::require::node() {
        return;
    }
    let (world, root) = (World::start(ALL), tempfile::tempdir().unwrap());
    let project = project(root.path(), &json!({ "name": "@acme/tool", "version": "1.2.3" }));
    let words = ["publish", "--provenance", "--access=public"];
    let output = world.run(&words, &project, &GITHUB, true);
    assert!(output.status.success(), "{}", errors(&output));
    assert!(errors(&output).contains("entry 42 of the transparency log"), "{}", errors(&output));

    let [(_, document)] = &world.asked("PUT /registry/@acme%2ftool")[..] else { panic!() };
    let attachments = &document["_attachments"];
    let bundle = &attachments["@acme/tool-1.2.3.sigstore"];
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(bundle["content_type"], kind);
    let data = bundle["data"].as_str().unwrap();
    assert_eq!(bundle["length"], data.len());
    let bundle: Value = serde_json::from_str(data).unwrap();
    assert_eq!(bundle["mediaType"], kind);

    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let tarball = STANDARD.decode(attachments["@acme/tool-1.2.3.tgz"]["data"].as_str().unwrap());
    let file = root.path().join("tool.tgz");
    std::fs::write(&file, tarball.unwrap()).unwrap();
    assert_eq!(
        statement["subject"],
        json!([{ "name": "pkg:npm/%40acme/tool@1.2.3", "digest": { "sha512": sha512(&file) } }])
    );
    let build = &statement["predicate"]["buildDefinition"];
    assert_eq!(
        build["externalParameters"]["workflow"],
        json!({ "ref": "refs/tags/v1.2.3", "repository": "https://git.example/acme/tool",
            "path": ".github/workflows/release.yml" })
    );
    assert_eq!(
        build["internalParameters"]["github"],
        json!({ "event_name": "push", "repository_id": "11" }),
        "what is not set is left out"
    );
    let run = &statement["predicate"]["runDetails"]["metadata"]["invocationId"];
    assert_eq!(run, "https://git.example/acme/tool/actions/runs/22/attempts/1");

    let [(_, certified)] = &world.asked("POST /fulcio/api/v2/signingCert")[..] else { panic!() };
    let token = identity("sigstore", "public");
    assert_eq!(certified["credentials"]["oidcIdentityToken"], token.as_str());
    let key = certified["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
    let proof = certified["publicKeyRequest"]["proofOfPossession"].as_str().unwrap();
    assert!(verifies(key, b"repo:acme/tool:ref:refs/heads/main", proof));
    let kind = "application/vnd.in-toto+json";
    let mut message = format!("DSSEv1 28 {kind} {} ", payload.len()).into_bytes();
    message.extend_from_slice(&payload);
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    assert!(verifies(key, &message, signature));
    message.push(b' ');
    assert!(!verifies(key, &message, signature));

    let [(_, logged)] = &world.asked("POST /rekor/api/v1/log/entries")[..] else { panic!() };
    let content = &logged["spec"]["proposedContent"];
    let envelope: Value = serde_json::from_str(content["envelope"].as_str().unwrap()).unwrap();
    assert_eq!(envelope, bundle["dsseEnvelope"]);
    let certificate = certificate(certified);
    assert_eq!(content["verifiers"], json!([STANDARD.encode(&certificate)]));
    let material = &bundle["verificationMaterial"];
    let raw: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(material["certificate"]["rawBytes"], raw.as_str());
    assert_eq!(
        material["tlogEntries"],
        json!([{
            "logIndex": "42", "logId": { "keyId": "wP/u" },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": "1700000000",
            "inclusionPromise": { "signedEntryTimestamp": "c2V0" },
            "inclusionProof": { "logIndex": "41", "rootHash": "q80=", "treeSize": "43",
                "hashes": ["AP8=", "AQ=="], "checkpoint": { "envelope": "log\n7\n" } },
            "canonicalizedBody": STANDARD.encode(logged.to_string()),
        }])
    );
}

/// Returns the SHA-512 of a file in hexadecimal, by Node.
fn sha512(file: &Path) -> String {
    let code = "process.stdout.write(require('crypto').createHash('sha512')\
        .update(require('fs').readFileSync(process.argv[1])).digest('hex'))";
    let output = Command::new("node").args(["-e", code]).arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn identity_token_is_exchanged_and_a_public_build_is_signed_unasked() {
    let manifest = json!({ "name": "tool", "version": "1.2.3" });
    for (answers, words, signs) in [
        (ALL, &["publish"][..], true),
        (ALL, &["publish", "--provenance=false"], false),
        (Answers { is_public: false, ..ALL }, &["publish"], false),
    ] {
        let (world, root) = (World::start(answers), tempfile::tempdir().unwrap());
        let project = project(root.path(), &manifest);
        let output = world.run(words, &project, &GITHUB, false);
        assert!(output.status.success(), "{words:?} {}", errors(&output));
        let exchange = world.asked("POST /-/npm/v1/oidc/token/exchange/package/tool");
        let [(authorization, _)] = &exchange[..] else { panic!("{exchange:?}") };
        assert!(authorization.starts_with("Bearer eyJ"), "{authorization}");
        let [(authorization, document)] = &world.asked("PUT /registry/tool")[..] else { panic!() };
        assert_eq!(authorization, "Bearer of-the-exchange");
        assert_eq!(document["_attachments"].get("tool-1.2.3.sigstore").is_some(), signs);
    }
}

#[test]
fn users_token_is_used_where_the_registry_does_not_exchange() {
    let manifest = json!({ "name": "tool", "version": "1.2.3" });
    let (world, root) =
        (World::start(Answers { exchanges: false, ..ALL }), tempfile::tempdir().unwrap());
    let project = project(root.path(), &manifest);
    let job = [("GITLAB_CI", "true"), ("NPM_ID_TOKEN", "a.b.c")];
    let output = world.run(&["publish"], &project, &job, true);
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(world.asked("PUT /registry/tool")[0].0, "Bearer of-the-user");
    let output = world.run(&["publish"], &project, &job, false);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("did not take the job's identity token"));
    // Nobody's machine is a job, whatever its variables are called.
    let output = world.run(&["publish"], &project, &[("NPM_ID_TOKEN", "a.b.c")], false);
    assert_eq!(output.status.code(), Some(1));
    let exchange = "POST /-/npm/v1/oidc/token/exchange/package/tool";
    assert_eq!(world.asked(exchange).len(), 2);
}

#[test]
fn job_of_gitlab_signs_with_its_own_token() {
    let (world, root) = (World::start(ALL), tempfile::tempdir().unwrap());
    let project = project(
        root.path(),
        &json!({ "name": "tool", "version": "1.2.3", "publishConfig": { "provenance": true } }),
    );
    let token = identity("sigstore", "public");
    let job = [
        ("GITLAB_CI", "true"),
        ("SIGSTORE_ID_TOKEN", token.as_str()),
        ("CI_PROJECT_URL", "https://git.example/acme/tool"),
        ("CI_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("CI_JOB_NAME", "release"),
        ("CI_RUNNER_ID", "7"),
        ("CI_BUILD_NAME", ""),
    ];
    let output = world.run(&["publish"], &project, &job, true);
    assert!(output.status.success(), "{}", errors(&output));
    let document = &world.asked("PUT /registry/tool")[0].1;
    let data = document["_attachments"]["tool-1.2.3.sigstore"]["data"].as_str().unwrap();
    let bundle: Value = serde_json::from_str(data).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let predicate = &statement["predicate"];
    assert_eq!(predicate["builder"]["id"], "https://git.example/acme/tool/-/runners/7");
    assert_eq!(predicate["invocation"]["configSource"]["entryPoint"], "release");
    let parameters = &predicate["invocation"]["parameters"];
    assert_eq!(parameters["CI_BUILD_NAME"], "");
    assert_eq!(parameters.get("CI_JOB_ID"), None);
}

#[test]
fn build_that_nobody_vouches_for_is_not_published() {
    let manifest = json!({ "name": "tool", "version": "1.2.3" });
    let without_permission = [("GITHUB_ACTIONS", "true")];
    for (answers, words, job, code) in [
        (ALL, &["publish", "--provenance"][..], &[][..], "DX_PROVENANCE_UNAVAILABLE"),
        (ALL, &["publish", "--provenance"], &without_permission, "DX_PROVENANCE_UNAVAILABLE"),
        (ALL, &["publish", "--provenance"], &[("CIRCLECI", "true")], "DX_PROVENANCE_UNAVAILABLE"),
        (
            Answers { is_public: false, ..ALL },
            &["publish", "--provenance"],
            &GITHUB,
            "DX_PROVENANCE_NOT_PUBLIC",
        ),
        (ALL, &["publish", "--provenance", "--provenance-file=x.json"], &GITHUB, "DX_USAGE"),
        (ALL, &["publish", "--provenance-file=x.json"], &[], "DX_PROVENANCE_FILE"),
    ] {
        let (world, root) = (World::start(answers), tempfile::tempdir().unwrap());
        let project = project(root.path(), &manifest);
        let output = world.run(words, &project, job, true);
        assert!(!output.status.success(), "{words:?}");
        assert!(errors(&output).contains(code), "{words:?} {code}: {}", errors(&output));
        assert_eq!(world.asked("PUT /registry/tool"), []);
    }
    let (world, root) =
        (World::start(Answers { certifies: false, ..ALL }), tempfile::tempdir().unwrap());
    let project = project(root.path(), &manifest);
    let output = world.run(&["publish", "--provenance"], &project, &GITHUB, true);
    assert!(!output.status.success());
    assert_eq!(world.asked("PUT /registry/tool"), []);
}

#[test]
fn statement_of_a_file_is_sent_if_it_is_about_the_tarball() {
    let (world, root) = (World::start(ALL), tempfile::tempdir().unwrap());
    let project = project(root.path(), &json!({ "name": "tool", "version": "1.2.3" }));
    let output = world.run(&["pack", "--pack-destination=.."], &project, &[], true);
    assert!(output.status.success(), "{}", errors(&output));
    let digest = sha512(&root.path().join("tool-1.2.3.tgz"));
    let tool = bundle("pkg:npm/tool@1.2.3", &digest);
    let mut forged = bundle("pkg:npm/tool@1.2.3", "00");
    forged["dsseEnvelope"]["payload"] = tool["dsseEnvelope"]["payload"].clone();
    let mut unsigned = tool.clone();
    unsigned["verificationMaterial"] = json!({});
    let file = root.path().join("bundle.json");
    let words = ["publish", "../tool-1.2.3.tgz", "--provenance-file=../bundle.json"];
    for (content, problem) in [
        (bundle("pkg:npm/tool@1.2.4", &digest), "it is about pkg:npm/tool@1.2.4"),
        (bundle("pkg:npm/tool@1.2.3", "00"), "it is about other files"),
        (json!({}), "it has no statement"),
        (forged, "its signature is not by the key of its certificate"),
        (unsigned, "it does not have the certificate of its signer"),
    ] {
        std::fs::write(&file, content.to_string()).unwrap();
        let output = world.run(&words, &project, &[], true);
        assert_eq!(output.status.code(), Some(1));
        assert!(errors(&output).contains(problem), "{}", errors(&output));
    }
    assert_eq!(world.asked("PUT /registry/tool"), []);
    std::fs::write(&file, tool.to_string()).unwrap();
    let output = world.run(&words, &project, &[], true);
    assert!(output.status.success(), "{}", errors(&output));
    let signer = format!("signed by {IDENTITY} (vouched for by {ISSUER})");
    assert!(errors(&output).contains(&signer), "{}", errors(&output));
    let document = &world.asked("PUT /registry/tool")[0].1;
    let attached = document["_attachments"]["tool-1.2.3.sigstore"]["data"].as_str().unwrap();
    let attached: Value = serde_json::from_str(attached).unwrap();
    assert_eq!(attached, tool);
}
