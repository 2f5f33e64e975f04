use super::*;

#[test]
fn shown_addresses_have_no_secrets() {
    for (text, shown) in [
        ("https://u:p@h/x", "https://***@h/x"),
        ("get https://u@h, then //a:b@c", "get https://***@h, then //***@c"),
        ("https://h/@scope/x", "https://h/@scope/x"),
        ("http://u:p/q@h:1/", "http://***@h:1/"),
        ("http://u:p@q@h/", "http://***@h/"),
        ("http://[::1]:4873/@a", "http://[::1]:4873/@a"),
        ("http://h:80/a@b", "http://h:80/a@b"),
        ("git+https://u:p@h/x.git#main", "git+https://***@h/x.git#main"),
        ("git+ssh://git@h/x.git", "git+ssh://git@h/x.git"),
        ("git+ssh://git:p@h/x.git", "git+ssh://***@h/x.git"),
        ("\"https://h/a.tgz?sig=S\"", "\"https://h/a.tgz?sig=***\""),
        (
            "https://h/a?X-Amz-Date=D&a=1&x_token=T, b",
            "https://h/a?X-Amz-Date=***&a=1&x_token=***, b",
        ),
        ("https://u:p@h/a?file=a&API-Key=K#f", "https://***@h/a?file=a&API-Key=***#f"),
        ("https://h/?next=1&page=2", "https://h/?next=1&page=2"),
        ("{\"a\":\"https://u:p@h\",\"b\":\"x@y\"}", "{\"a\":\"https://***@h\",\"b\":\"x@y\"}"),
        (
            "DELETE http://h/-/user/token/npm_abc: refused",
            "DELETE http://h/-/user/token/***: refused",
        ),
        ("http://h/-/npm/v1/tokens/token/0a1b/x", "http://h/-/npm/v1/tokens/token/***/x"),
        ("no address, a//b", "no address, a//b"),
        ("", ""),
    ] {
        assert_eq!(without_secrets(text), shown);
    }
}

#[test]
fn scripts_see_addresses_without_users() {
    for (text, plain) in [
        ("http://u:p@proxy:8080/", "http://proxy:8080/"),
        ("https://h/@s/x?token=t", "https://h/@s/x?token=t"),
        ("a=https://u:p@h b=http://q@i/", "a=https://h b=http://i/"),
        ("plain", "plain"),
    ] {
        assert_eq!(without_users(text), plain);
    }
}

#[test]
fn recorded_addresses_have_no_secrets_and_work() {
    for (address, recorded) in [
        ("https://u:p@h/a.tgz", "https://h/a.tgz"),
        ("HTTPS://u:p@h/a.tgz", "HTTPS://h/a.tgz"),
        ("https://h/a.tgz?sig=S", "https://h/a.tgz"),
        ("https://h/a.tgz?sv=1&sig=S&se=2#f", "https://h/a.tgz?sv=1&se=2"),
        ("https://h/a.tgz#f", "https://h/a.tgz"),
        ("https://h/a.tgz?X-Amz-Signature=S&X-Amz-Date=1", "https://h/a.tgz"),
        ("https://h/a.tgz?sha512=S", "https://h/a.tgz?sha512=S"),
        ("https://h/a.tgz?0123456789abcdef0123", "https://h/a.tgz"),
        ("https://h/a.tgz?download", "https://h/a.tgz?download"),
        ("https://h/a.tgz?token=", "https://h/a.tgz?token="),
        ("https://h/@s/a/-/a-1.0.0.tgz", "https://h/@s/a/-/a-1.0.0.tgz"),
        ("git+ssh://git@h/a.git#1", "git+ssh://git@h/a.git#1"),
        ("file:../a?token=t", "file:../a?token=t"),
        ("", ""),
    ] {
        assert_eq!(recordable(address), recorded);
    }
}
