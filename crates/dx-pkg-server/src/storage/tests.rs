use super::*;

#[test]
fn keys_are_file_names_everywhere_and_give_their_texts_back() {
    let long = "x".repeat(300);
    for text in
        ["a", "React", "@scope", "..", ".", "", "a/b", "a\\b", "a b", "ü", "=", "a=2eb", "#1"]
    {
        let key = Key::of("k").with(text);
        let segment = key.as_str().strip_prefix("k/").unwrap();
        assert!(
            segment.bytes().all(|byte| byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || b"._-@=".contains(&byte)),
            "{segment}"
        );
        assert!(!segment.starts_with('.'), "{segment}");
        assert_eq!(key.texts().unwrap(), ["k", text]);
    }
    assert!(Key::of("k").with(&long).as_str().len() < 210);
    assert_ne!(Key::of("k").with("React"), Key::of("k").with("react"));
}

#[tokio::test]
async fn an_object_is_created_once() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(folder.path()).unwrap();
    let key = Key::of("test").with("a").with("b");
    assert_eq!(storage.read(&key).await.unwrap(), None);
    assert_eq!(storage.create(&key, "one".into()).await.unwrap(), Created::New);
    assert_eq!(storage.create(&key, "two".into()).await.unwrap(), Created::Exists);
    let mut file = storage.temporary().unwrap();
    file.write(b"three").unwrap();
    assert_eq!(storage.adopt(&key, file).await.unwrap(), Created::Exists);
    assert_eq!(storage.read(&key).await.unwrap().as_deref(), Some(&b"one"[..]));
    let mut file = storage.temporary().unwrap();
    file.write(b"four").unwrap();
    let other = Key::of("test").with("c");
    assert_eq!(storage.adopt(&other, file).await.unwrap(), Created::New);
    let mut listed: Vec<_> = storage.list(&Key::of("test")).await.unwrap();
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    let keys: Vec<_> = listed.iter().map(|object| (object.key.as_str(), object.size)).collect();
    assert_eq!(keys, [("test/a/b", 3), ("test/c", 4)]);
    assert_eq!(std::fs::read_dir(folder.path().join("temporary")).unwrap().count(), 0);
    storage.remove(&key).await.unwrap();
    storage.remove(&key).await.unwrap();
    assert!(!storage.exists(&key));
}
