use super::*;
use serde_json::{Value, json};
use std::time::SystemTime;

fn opened() -> (tempfile::TempDir, Documents) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(folder.path()).unwrap();
    (folder, Documents::new(storage))
}

async fn count(documents: &Documents, name: &Name) -> Result<u64, Failure> {
    documents
        .change(name, |now: Option<&u64>| {
            let next = now.copied().unwrap_or(0) + 1;
            Ok(Change::To(next, next))
        })
        .await
}

#[tokio::test]
async fn a_change_is_seen_by_others_on_the_same_folder() {
    let (_folder, first) = opened();
    let second = Documents::new(first.storage.clone());
    let name = Name::new("test", "A key/with ../anything");
    assert!(second.read::<u64>(&name).await.unwrap().value.is_none());
    for wanted in 1..60_u64 {
        let writer = if wanted % 3 == 0 { &first } else { &second };
        assert_eq!(count(writer, &name).await.unwrap(), wanted);
        assert_eq!(first.read::<u64>(&name).await.unwrap().value.as_deref(), Some(&wanted));
    }
    let third = Documents::new(first.storage.clone());
    assert_eq!(third.read::<u64>(&name).await.unwrap().number, 59);
    assert_eq!(third.keys("test").await.unwrap(), ["A key/with ../anything"]);
}

#[tokio::test]
async fn no_change_is_lost_among_many_writers() {
    let (_folder, documents) = opened();
    let name = Name::new("test", "counter");
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (own, name) = (Documents::new(documents.storage.clone()), name.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                count(&own, &name).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(documents.read::<u64>(&name).await.unwrap().value.as_deref(), Some(&100));
}

#[tokio::test]
async fn a_removed_document_is_none_and_can_come_back() {
    let (_folder, documents) = opened();
    let name = Name::new("test", "gone");
    count(&documents, &name).await.unwrap();
    let remove = |_: Option<&u64>| Ok(Change::Remove(()));
    documents.change(&name, remove).await.unwrap();
    for documents in [&documents, &Documents::new(documents.storage.clone())] {
        let read = documents.read::<u64>(&name).await.unwrap();
        assert_eq!((read.number, read.value), (2, None));
    }
    assert_eq!(count(&documents, &name).await.unwrap(), 1);
}

#[tokio::test]
async fn old_revisions_go_and_the_latest_is_found_without_them() {
    let (_folder, documents) = opened();
    let name = Name::new("test", "long");
    for _ in 0..40 {
        count(&documents, &name).await.unwrap();
    }
    let hours_ago = SystemTime::now() - UNDISTURBED * 2;
    for number in 1..=40 {
        let path = documents.storage.path(&name.revision(number));
        std::fs::File::options().append(true).open(path).unwrap().set_modified(hours_ago).unwrap();
    }
    documents.remove_old(&name, 32).await.unwrap();
    assert!(!documents.storage.exists(&name.revision(31)));
    assert!(documents.storage.exists(&name.revision(32)));
    // With an outdated hint, and with none.
    for hint in ["3", "40", "no number", ""] {
        let path = documents.storage.path(&name.hint());
        if hint.is_empty() {
            std::fs::remove_file(path).unwrap()
        } else {
            std::fs::write(path, hint).unwrap()
        }
        let fresh = Documents::new(documents.storage.clone());
        let read = fresh.read::<u64>(&name).await.unwrap();
        assert_eq!((read.number, read.value.as_deref()), (40, Some(&40)), "{hint:?}");
    }
    // A writer that stood still since revision 3.
    assert!(!documents.append(&name, 3, Some(4_u64)).await.unwrap());
    assert_eq!(count(&documents, &name).await.unwrap(), 41);
}

#[tokio::test]
async fn a_refused_change_leaves_everything_as_it_was() {
    let (_folder, documents) = opened();
    let name = Name::new("test", "kept");
    let set = |_: Option<&Value>| Ok(Change::To(json!({ "a": 1 }), ()));
    documents.change(&name, set).await.unwrap();
    let refuse = |_: Option<&Value>| Err::<Change<Value, ()>, _>(Failure::conflict("no"));
    assert_eq!(documents.change(&name, refuse).await.unwrap_err().status.as_u16(), 409);
    let keep = |now: Option<&Value>| Ok(Change::Keep(now.cloned()));
    assert_eq!(documents.change(&name, keep).await.unwrap(), Some(json!({ "a": 1 })));
    assert_eq!(documents.read::<Value>(&name).await.unwrap().number, 1);
}
