use super::*;

#[test]
fn small_large_and_empty_files_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 1, READ_UP_TO as usize, READ_UP_TO as usize + 1, 300_000] {
        let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
        let path = folder.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(&*Map::open(&path).unwrap(), bytes);
    }
}

#[test]
fn a_map_outlives_the_name_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let map = Map::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(map.iter().all(|&byte| byte == 7));
}

#[test]
fn checked_files_of_every_size_read_the_same_and_pipes_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 1, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, 200_000] {
        let path = folder.path().join(size.to_string());
        let contents: Vec<u8> = (0..size).map(|at| at as u8).collect();
        std::fs::write(&path, &contents).unwrap();
        assert_eq!(&*Map::open_checked(&path).unwrap(), contents);
    }
    #[cfg(target_os = "linux")]
    {
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600))
            .unwrap();
        assert!(Map::open(&pipe).is_err());
        assert_eq!(&*Map::open_checked(&pipe).unwrap(), b"");
        assert!(Map::open_checked("/dev/zero").is_err());
    }
}
