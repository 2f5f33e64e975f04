use super::*;

fn at(tag: u8, text: &str) -> Option<i64> {
    time(&Element { tag, contents: text.as_bytes(), whole: &[] })
}

#[test]
fn both_forms_of_a_time_are_read() {
    assert_eq!(at(0x17, "700101000000Z"), Some(0));
    assert_eq!(at(0x17, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(at(0x17, "500101000000Z"), Some(-631_152_000));
    assert_eq!(at(0x18, "20000229120000Z"), Some(951_825_600));
    assert_eq!(at(0x18, "20260727112233Z"), Some(1_785_151_353));
    assert_eq!(at(0x18, "21000301000000Z"), Some(4_107_542_400));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in ["", "Z", "20260727112233", "20260027112233Z", "2026072711223aZ", "202607271122Z"] {
        assert_eq!(at(0x18, text), None, "{text}");
    }
    assert_eq!(at(0x17, "20260727112233Z"), None);
}

#[test]
fn damaged_certificates_are_refused_without_a_panic() {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let whole = names.self_signed(&key).unwrap().der().to_vec();
    assert!(Certificate::read(&CertificateDer::from(whole.as_slice())).is_some());
    for length in 0..whole.len() {
        assert!(Certificate::read(&CertificateDer::from(&whole[..length])).is_none(), "{length}");
    }
    for (at, value) in (0..whole.len()).flat_map(|at| [0, 0x7f, 0x80, 0xff].map(|to| (at, to))) {
        let mut damaged = whole.clone();
        damaged[at] = value;
        if let Some(read) = Certificate::read(&CertificateDer::from(damaged.as_slice())) {
            let _ = common_names(read.subject);
        }
    }
}
