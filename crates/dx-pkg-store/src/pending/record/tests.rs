use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/dxq-v3.dxq");

#[test]
fn a_record_of_version_3_is_read_and_written_the_same() {
    let contents = decode(GOLDEN).unwrap();
    assert_eq!(contents.project, Path::new("/project"));
    assert_eq!(contents.folder, "pending-12638-d00bb177496cea37");
    let [(id, tables)] = &*contents.packages else { panic!("one package") };
    let paths: Vec<_> = tables.dxp().entries().map(|entry| entry.path).collect();
    assert_eq!(paths, ["bin/run.js", "index.js"]);
    let packages = [(*id, tables)];
    let encoded = encode(&contents.project, &contents.folder, packages.into_iter());
    assert_eq!(encoded, GOLDEN);
}

#[test]
fn any_altered_byte_or_truncation_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        assert!(decode(&altered).is_none(), "byte {at}");
        assert!(decode(&GOLDEN[..at]).is_none(), "cut at {at}");
    }
}

#[test]
fn a_record_cannot_name_a_folder_outside_of_tmp() {
    let encoded = |project: &str, folder| encode(Path::new(project), folder, [].into_iter());
    assert!(decode(&encoded("/project", "pending-1-2")).is_some());
    for folder in ["", "..", "other", "pending-/../../x", "pending-\\x", "/pending-1"] {
        assert!(decode(&encoded("/project", folder)).is_none(), "{folder}");
    }
    assert!(decode(&encoded("project", "pending-1-2")).is_none());
}
