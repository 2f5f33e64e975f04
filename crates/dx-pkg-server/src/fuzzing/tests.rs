use super::*;
use std::path::PathBuf;

/// The mutations of each seed that a test tries; `cargo xtask fuzz` tries millions.
const TRIES: u64 = 200;

/// Returns the seeds of a fuzz target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Calls `target` with the seeds, and with bytes of them changed, cut off and doubled.
fn mutated(name: &str, mut target: impl FnMut(&[u8])) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name}");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below.max(1)
    };
    for seed in &seeds {
        target(seed);
        for _ in 0..TRIES {
            let mut input = seed.clone();
            for _ in 0..=random(3) {
                let at = random(input.len());
                match random(4) {
                    0 if !input.is_empty() => input[at] = random(256) as u8,
                    1 => input.truncate(at),
                    2 => input.insert(at, b"\0/.%\"{}[]:,-9\n"[random(14)]),
                    _ => {
                        let end = at + random(input.len() - at + 1);
                        let part = input[at..end].to_vec();
                        input.splice(at..at, part);
                    }
                }
            }
            target(&input);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn documents_of_publishes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path()).unwrap();
    mutated("server_publish", |bytes| registry.publish(bytes));
    let left = std::fs::read_dir(folder.path().join("temporary")).unwrap().count();
    assert_eq!(left, 0, "what is refused leaves nothing behind");
}

#[test]
fn texts_of_requests_are_read_or_refused() {
    mutated("server_path", |bytes| path(&text(bytes)));
    mutated("server_token", |bytes| identity_token(&text(bytes)));
    mutated("server_headers", |bytes| headers(&text(bytes)));
}

#[test]
fn files_are_read_or_refused() {
    mutated("server_config", |bytes| config(&text(bytes)));
    mutated("server_lockfile", lockfile);
    mutated("server_readme", |bytes| readme(&text(bytes)));
}

#[tokio::test]
async fn verdaccios_documents_are_taken_over_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(&folder.path().join("storage")).unwrap();
    let mut inputs = Vec::new();
    mutated("server_verdaccio", |bytes| inputs.push(bytes.to_vec()));
    for input in inputs {
        registry.verdaccio(&input, &folder.path().join("verdaccio")).await;
    }
}
