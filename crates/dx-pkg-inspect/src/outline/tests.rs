use super::*;

/// Returns what a list shows of an object that is read as a whole.
fn read_whole(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    value.as_object_mut()?.retain(|key, _| !key.starts_with('_'));
    let list = serde_json::to_string_pretty(&[value]).ok()?;
    Some(list.trim_start_matches("[\n").trim_end_matches("\n]").to_owned())
}

fn is_read(key: &str) -> bool {
    matches!(key, "name" | "dependencies")
}

#[test]
fn what_is_laid_out_is_what_reading_gives() {
    for text in [
        r#"{"name":"a","version":"1.0.0"}"#,
        "\n { \"a\" : [ ] , \"b\":{ }, \"_id\": {\"x\": [1]}, \"c\":[1,2.50,-0,1e3,true,null,\"\"] }\n",
        r#"{"description":"a \"quoted\" \u00e9 \n \/ word","exports":{".":{"import":"./i.js"}}}"#,
        r#"{"dependencies":{"b":"1","a":"2"},"keywords":["ä","\ud83d\ude00"],"x":{"y":{"z":[[],{}]}}}"#,
        r#"{"n":123456789012345678901234567890,"m":18446744073709551615,"o":0.1}"#,
    ] {
        let found = Outline::of_text(text, is_read).map(|outline| outline.in_list());
        assert_eq!(found, read_whole(text), "{text}");
    }
}

#[test]
fn what_is_unusual_or_wrong_is_left_to_the_reader() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for text in [
        "",
        "1",
        "[]",
        "{}",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"a\":1,\"a\":2}}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":01}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":tru}",
        "{\"a\":1} x",
        "{\"a\":\"\\ud800\"}",
        "{\"\\u0061\":1}",
        "{\"a\":[1,]}",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":\"",
        "{\"a\":\"\\",
        &deep,
    ] {
        assert!(Outline::of_text(text, is_read).is_none(), "{text}");
    }
}

#[test]
fn a_cut_or_changed_text_never_gives_what_reading_does_not() {
    let whole =
        r#"{"name":"a","b":[1,{"c":"d\n","e":[true,null]}],"f":{"g":-1.5e2,"h":{}},"_i":[0]}"#;
    for at in 0..whole.len() {
        for byte in *b"\"\\{}[],: 0-ex_" {
            let mut changed = whole.as_bytes().to_vec();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            for text in [&changed, &whole[..at]] {
                if let Some(outline) = Outline::of_text(text, is_read) {
                    assert_eq!(Some(outline.in_list()), read_whole(text), "{text}");
                }
            }
        }
    }
}
