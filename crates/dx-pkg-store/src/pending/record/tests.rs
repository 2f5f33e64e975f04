use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/dxq-v2.dxq");

#[test]
fn a_record_of_version_2_is_read_and_written_the_same() {
    let contents = decode(GOLDEN).unwrap();
    assert_eq!(contents.project, Path::new("/project"));
    assert_eq!(contents.folder, "pending-12638-d00bb177496cea37");
    let [(id, tables)] = &*contents.packages else { panic!("one package") };
    let tables = PackageTables::of(tables.clone()).unwrap();
    let paths: Vec<_> = tables.dxp().entries().map(|entry| entry.path).collect();
    assert_eq!(paths, ["bin/run.js", "index.js", "large.bin"]);
    let packages = [(*id, &tables)];
    let encoded = encode(&contents.project, &contents.folder, packages.into_iter());
    assert_eq!(encoded, GOLDEN);
}

#[test]
fn any_altered_byte_or_truncation_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        assert_eq!(decode(&altered), None, "byte {at}");
        assert_eq!(decode(&GOLDEN[..at]), None, "cut at {at}");
    }
}

#[test]
fn a_record_cannot_name_a_folder_outside_of_tmp() {
    let encoded = |project: &str, folder| encode(Path::new(project), folder, [].into_iter());
    assert!(decode(&encoded("/project", "pending-1-2")).is_some());
    for folder in ["", "..", "other", "pending-/../../x", "pending-\\x", "/pending-1"] {
        assert_eq!(decode(&encoded("/project", folder)), None, "{folder}");
    }
    assert_eq!(decode(&encoded("project", "pending-1-2")), None);
}
