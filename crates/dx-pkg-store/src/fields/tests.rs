use super::*;

fn id(byte: u8) -> PackageId {
    PackageId::from_bytes([byte; 32])
}

fn sample() -> BTreeMap<PackageId, (PackageFields, u32)> {
    let text = |text: &str| Some(PackageLicense::Text(text.to_owned()));
    let json = Some(PackageLicense::Json("[\"MIT\"]".to_owned()));
    let workspaces = Some("[\"a\"]".to_owned());
    BTreeMap::from([
        (id(7), (PackageFields { license: text("MIT"), workspaces }, 20_000)),
        (id(8), (PackageFields { license: json, workspaces: None }, 20_001)),
        (id(9), (PackageFields { license: text(""), workspaces: None }, 1)),
        (id(10), (PackageFields::default(), 0)),
    ])
}

fn read(bytes: &[u8]) -> Option<BTreeMap<PackageId, (PackageFields, u32)>> {
    let table = Table::decode(bytes).ok()?;
    Some(table.rows().iter().map(|row| (id_of(row), table.fields(row))).collect())
}

#[test]
fn a_table_of_version_1_is_read_and_written_the_same() {
    let golden: &[u8] = include_bytes!("../../tests/golden/dxn-v1.dxn");
    assert_eq!(read(golden), Some(sample()));
    assert!(encode(&sample()).unwrap() == golden);
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let bytes = encode(&sample()).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(read(&damaged), None, "byte {at}");
        assert_eq!(read(&bytes[..at]), None, "cut at {at}");
    }
}

#[test]
fn nothing_under_a_right_checksum_makes_reading_panic() {
    let bytes = encode(&sample()).unwrap();
    for at in Frame::SIZE..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut altered = bytes.clone();
            altered[at] = value;
            Frame::write_checksum(&mut altered);
            let _ = read(&altered);
        }
    }
}

#[test]
fn fields_are_found_by_their_package_and_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.package_fields().get(id(7)), None);
    let fields: Vec<_> = sample().into_iter().map(|(id, (fields, _))| (id, fields)).collect();
    store.put_package_fields(fields.clone()).unwrap();
    let other = PackageFields { workspaces: Some("[]".to_owned()), ..PackageFields::default() };
    store.put_package_fields(vec![(id(1), other.clone()), (id(9), other.clone())]).unwrap();
    let table = Store::open(folder.path()).unwrap().package_fields();
    for (at, fields) in fields {
        let expected = if at == id(9) { &other } else { &fields };
        assert_eq!(table.get(at).as_ref(), Some(expected));
    }
    assert_eq!(table.get(id(1)), Some(other));
    assert_eq!(table.get(id(2)), None);
}

#[test]
fn processes_that_record_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = Store::open(folder.path()).unwrap();
            scope.spawn(move || {
                for package in 0..20 {
                    let id = id(thread * 20 + package);
                    store.put_package_fields(vec![(id, PackageFields::default())]).unwrap();
                }
            });
        }
    });
    let table = Store::open(folder.path()).unwrap().package_fields();
    assert!((0..80).all(|package| table.get(id(package)).is_some()));
}

#[test]
fn what_was_written_long_ago_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let day = today();
    let old = (id(1), (PackageFields::default(), day - KEPT_DAYS - 1));
    let young = (id(2), (PackageFields::default(), day - KEPT_DAYS + 1));
    let bytes = encode(&BTreeMap::from([old, young])).unwrap();
    std::fs::create_dir_all(store.folder(Folder::Metadata)).unwrap();
    std::fs::write(store.folder(Folder::Metadata).join(FILE), bytes).unwrap();
    store.put_package_fields(vec![(id(3), PackageFields::default())]).unwrap();
    let table = store.package_fields();
    let known = [1, 2, 3].map(|package| table.get(id(package)).is_some());
    assert_eq!(known, [false, true, true]);
}
