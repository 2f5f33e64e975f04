use super::Request;

fn read(line: &str) -> Option<Request> {
    Request::read(line.split_whitespace().map(Into::into))
}

#[test]
fn a_plain_install_is_understood() {
    assert_eq!(read("install"), Some(Request::default()));
    let request = read("i -C app --prod --frozen-lockfile -s").unwrap();
    assert_eq!(request.folder.to_str(), Some("app"));
    assert_eq!(request.flags, [("omit".to_owned(), "dev".to_owned())]);
    assert!(request.silent);
}

#[test]
fn everything_else_goes_the_usual_way() {
    for line in [
        "",
        "install left-pad",
        "ci",
        "install --json",
        "install --lockfile-only",
        "remove a",
        "install -C",
    ] {
        assert_eq!(read(line), None, "{line}");
    }
}
