//! Many publishes at once, in one process and in two, and processes that are killed.

use crate::server::{Server, publish_body, tarball, tarball_of};
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;

#[test]
fn two_hundred_publishes_of_one_name_are_all_there() {
    let first = Server::start("none");
    let second = first.beside("none");
    std::thread::scope(|scope| {
        for worker in 0..20 {
            let server = if worker % 2 == 0 { &first } else { &second };
            scope.spawn(move || {
                for i in 0..10 {
                    let version = format!("1.{worker}.{i}");
                    assert_eq!(server.publish("@acme/many", &version).status, 201, "{version}");
                }
            });
        }
    });
    for server in [&first, &second] {
        let packument = server.get("/@acme%2fmany").json();
        assert_eq!(packument["versions"].as_object().unwrap().len(), 200);
        assert_eq!(packument["dist-tags"]["latest"], "1.19.9");
    }
    assert_eq!(first.get("/@acme/many/-/many-1.0.0.tgz").body, tarball("@acme/many", "1.0.0"));
}

#[test]
fn of_twenty_publishes_of_one_version_one_wins() {
    let first = Server::start("none");
    let second = first.beside("none");
    let tarballs: Vec<Vec<u8>> = (0..20)
        .map(|i| tarball_of(&json!({ "name": "one", "version": "1.0.0", "description": i })))
        .collect();
    let won = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (i, tarball) in tarballs.iter().enumerate() {
            let (server, won) = (if i % 2 == 0 { &first } else { &second }, &won);
            scope.spawn(move || {
                let body = publish_body("one", "1.0.0", "latest", tarball, &json!({}));
                match server.put("/one", &body).status {
                    201 => won.lock().unwrap().push(i),
                    status => assert_eq!(status, 409),
                }
            });
        }
    });
    let won = won.into_inner().unwrap();
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(second.get("/one/-/one-1.0.0.tgz").body, tarballs[won[0]]);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let mut server = Server::start("none");
    let mut acknowledged = Vec::new();
    for round in 0..8_u64 {
        let process = &server;
        let done = std::thread::scope(|scope| {
            let publishing = scope.spawn(move || {
                let versions = (0..1000).map(|i| format!("{round}.0.{i}"));
                let answered = versions.take_while(|version| {
                    process.try_publish("tool", version).is_some_and(|status| status == 201)
                });
                answered.collect::<Vec<_>>()
            });
            std::thread::sleep(Duration::from_millis(40 + round * 17));
            process.kill();
            publishing.join().unwrap()
        });
        acknowledged.extend(done);
        server = server.beside("none");
    }
    let there = server.versions("tool");
    assert!(!acknowledged.is_empty());
    for version in &acknowledged {
        assert!(there.contains(version), "{version} of {} is lost", acknowledged.len());
    }
    for version in &there {
        let path = format!("/tool/-/tool-{version}.tgz");
        assert_eq!(server.get(&path).body, tarball("tool", version), "{version}");
    }
}
