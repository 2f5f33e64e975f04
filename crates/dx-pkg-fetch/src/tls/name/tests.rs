use super::*;

#[test]
fn host_names_are_compared_as_node_does() {
    for (host, pattern, expected) in [
        ("registry.corp.example", "registry.corp.example", true),
        ("Registry.Corp.Example.", "registry.corp.EXAMPLE", true),
        ("a.corp.example", "*.corp.example", true),
        ("a.b.corp.example", "*.corp.example", false),
        ("corp.example", "*.corp.example", false),
        ("registry.corp.example", "reg*.corp.example", true),
        ("registry.corp.example", "reg*y.corp.example", true),
        ("registry.corp.example", "*try.corp.example", true),
        ("rey.corp.example", "reg*y.corp.example", false),
        ("registry.corp.example", "r*i*.corp.example", false),
        ("registry.corp.example", "registry.*.example", false),
        ("a.localhost", "*.localhost", false),
        ("localhost", "*", false),
        ("localhost", "localhost", true),
        ("xn--bcher-kva.corp.example", "xn--*.corp.example", false),
        ("registry.corp.example", "", false),
        ("registry.corp.example", "registry..example", false),
        ("registry.corp.example", "régistry.corp.example", false),
    ] {
        assert_eq!(fits(host, pattern), expected, "{pattern} for {host}");
    }
}
