use super::*;

#[test]
fn errors_of_the_system_have_hints() {
    let cases = [
        (io::ErrorKind::ReadOnlyFilesystem, "DX_STORE_READ_ONLY", "DX_STORE="),
        (io::ErrorKind::PermissionDenied, "DX_STORE_FORBIDDEN", "write access"),
        (io::ErrorKind::StorageFull, "DX_STORE_FULL", "free some space"),
        (io::ErrorKind::QuotaExceeded, "DX_STORE_FULL", "free some space"),
    ];
    for (kind, code, hint) in cases {
        let error = StoreError::io("writing", "/store/v1/packages")(kind.into());
        assert_eq!(error.code(), code);
        assert!(error.hint().unwrap().contains(hint));
        assert!(error.to_string().starts_with("writing `/store/v1/packages`: "), "{error}");
    }
    let error = StoreError::io("reading", "/store")(io::ErrorKind::TimedOut.into());
    assert_eq!(error.code(), "DX_STORE_IO");
}
