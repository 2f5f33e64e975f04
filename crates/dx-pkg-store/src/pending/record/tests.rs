use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/dxq-v4.dxq");

fn seals() -> Seals {
    Seals::of_bytes(&[7; 32])
}

#[test]
fn a_record_of_version_4_is_read_and_written_the_same() {
    let contents = decode(GOLDEN, &seals()).unwrap();
    assert_eq!(contents.project, Path::new("/project"));
    assert_eq!(contents.folder, "pending-12638-d00bb177496cea37");
    let [(id, tables)] = &*contents.packages else { panic!("one package") };
    let paths: Vec<_> = tables.dxp().entries().map(|entry| entry.path).collect();
    assert_eq!(paths, ["bin/run.js", "index.js"]);
    let packages = [(*id, tables)];
    let encoded = encode(&contents.project, &contents.folder, packages.into_iter(), &seals());
    assert_eq!(encoded, GOLDEN);
}

#[test]
fn any_altered_byte_or_truncation_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        assert!(decode(&altered, &seals()).is_none(), "byte {at}");
        assert!(decode(&GOLDEN[..at], &seals()).is_none(), "cut at {at}");
    }
}

#[test]
fn a_record_of_another_store_is_refused() {
    assert!(decode(GOLDEN, &Seals::of_bytes(&[8; 32])).is_none());
}

#[test]
fn a_record_cannot_name_a_folder_outside_of_tmp() {
    let encoded =
        |project: &str, folder| encode(Path::new(project), folder, [].into_iter(), &seals());
    assert!(decode(&encoded("/project", "pending-1-2"), &seals()).is_some());
    for folder in ["", "..", "other", "pending-/../../x", "pending-\\x", "/pending-1"] {
        assert!(decode(&encoded("/project", folder), &seals()).is_none(), "{folder}");
    }
    assert!(decode(&encoded("project", "pending-1-2"), &seals()).is_none());
}
