use super::*;

/// Three bytes in base64; whether they are a certificate is for the store of authorities to find
/// out.
fn pem(body: &str) -> String {
    format!("{BEGIN}\n{body}\n{END}\n")
}

fn read(file: &str) -> Vec<Vec<u8>> {
    certificates(file.as_bytes()).iter().map(|certificate| certificate.to_vec()).collect()
}

#[test]
fn certificates_are_found_whatever_stands_around_them() {
    let (one, two) = (pem("AAAB"), pem("AAAC"));
    let both = vec![vec![0, 0, 1], vec![0, 0, 2]];
    for file in [
        format!("{one}{two}"),
        format!("\u{feff}{one}{two}"),
        format!("Our authority\r\n{one}\r\nAnother\r\n{two}").replace('\n', "\r\n"),
        format!("{one}{two}").replace('\n', "\n    "),
        format!("{one}{}{two}", pem("!!!!")),
        format!("{one}{BEGIN}\nAAAA\n{two}"),
        format!("{one}{two}{BEGIN}\nAAAA"),
    ] {
        assert_eq!(read(&file), both, "{file:?}");
    }
}

#[test]
fn certificate_in_der_form_is_taken_whole() {
    let der = [0x30, 0x82, 0x00, 0x01, 0x00];
    assert_eq!(certificates(&der), [CertificateDer::from(der.to_vec())]);
}

#[test]
fn file_without_certificates_has_none() {
    for file in ["", "nonsense", BEGIN, &pem("")] {
        assert!(read(file).is_empty(), "{file:?}");
    }
}
