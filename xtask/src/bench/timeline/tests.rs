use super::*;

/// A timing of metadata requests `name<cause queued-done`, and tarballs with a `!` before the name.
fn timing(requests: &str) -> Timing {
    let parse = |text: &str| {
        let (name, times) = text.split_once(' ').unwrap();
        let (name, cause) = name
            .split_once('<')
            .map_or((name, None), |(name, cause)| (name, Some(cause.to_owned())));
        let (queued, done) = times.split_once('-').unwrap();
        let (queued, done): (u64, u64) = (queued.parse().unwrap(), done.parse().unwrap());
        let kind = if name.starts_with('!') { Kind::Tarball } else { Kind::Metadata };
        let name = name.trim_start_matches('!').to_owned();
        let (sent, first_byte) = (Some(queued + 1000), Some(done - 1000));
        Request { kind, name, caused_by: cause, queued, sent, first_byte, done, bytes: 1_000_000 }
    };
    let requests: Vec<Request> = requests.split(", ").map(parse).collect();
    let ended = requests.iter().map(|request| request.done).max().unwrap_or(0);
    Timing { ended, stages: vec![Stage { name: "resolved".into(), ended }], requests }
}

#[test]
fn a_wave_is_as_far_as_its_chain_of_answers_is_long() {
    let chain = timing(
        "a 0-10000, b 0-12000, c<a 10000-20000, !c@1<c 20000-30000, d<c 20000-40000, e<b 12000-41000",
    );
    assert_eq!(waves::of(&chain), [1, 1, 2, 3, 3, 2]);
    assert_eq!(waves::count(&chain), 3);
}

#[test]
fn a_document_that_is_asked_for_again_waits_for_its_first_answer() {
    assert_eq!(waves::of(&timing("a 0-10000, a 10000-20000, b<a 20000-30000")), [1, 2, 3]);
}

#[test]
fn causes_that_are_unknown_or_came_later_are_none() {
    assert_eq!(waves::of(&timing("b<cached 0-10000, a 5000-20000, c<a 10000-30000")), [1, 1, 1]);
}

#[test]
fn the_table_tells_groups_and_the_chain_that_came_last() {
    let table =
        waves::table(&timing("a 0-10000, b<a 10000-20000, c<a 10000-15000, !b@1<b 20000-30000"));
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 5, "{table}");
    assert_eq!(lines[1], "wave 2         2 requests     2.00 MB  from   10.0 to   20.0 ms");
    assert_eq!(lines[2], "tarballs       1 requests     1.00 MB  from   20.0 to   30.0 ms");
    assert_eq!(lines[3], "2 waves of metadata; 30.0 ms in all");
    assert_eq!(lines[4], "the last of them: a > b");
}

#[test]
fn a_request_is_as_long_as_it_took_in_every_panel() {
    let short = Panel { title: "with <&>".into(), timing: timing("a 0-10000") };
    let long = Panel { title: "without".into(), timing: timing("a 0-20000, b<a 20000-40000") };
    let picture = drawing::svg(&[short, long]);
    let bodies: Vec<&str> =
        picture.lines().filter(|line| line.starts_with("<rect class=\"wait\"")).collect();
    let width = |line: &str| {
        line.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
    };
    let widths: Vec<f64> = bodies.iter().map(|line| width(line)).collect();
    // 40 ms are 786 wide; each waits 2 ms less than it took.
    assert_eq!(widths, [157.2, 353.7, 353.7]);
    assert!(
        picture.contains("with &lt;&amp;>")
            && picture.contains("2 waves of metadata, 2 requests, 40 ms")
    );
}

#[test]
fn the_same_timing_is_always_the_same_picture() {
    let panel = || Panel {
        title: "x".into(),
        timing: timing("a 0-10000, b<a 10000-20000, !b@1<b 20000-90000"),
    };
    assert_eq!(drawing::svg(&[panel()]), drawing::svg(&[panel()]));
    let picture = drawing::svg(&[panel()]);
    assert_eq!(
        picture.matches("<text").count() - picture.matches("ms</text>").count(),
        1 + 1 + 3 + 1,
        "{picture}"
    );
}

#[test]
fn times_are_named_five_to_ten_times() {
    for ended in [10_000, 33_000, 180_000, 999_999, 4_200_000, 61_000_000] {
        let panel = Panel { title: "x".into(), timing: timing(&format!("a 0-{ended}")) };
        let named = drawing::svg(&[panel]).matches(" ms</text>").count();
        assert!((5..=11).contains(&named), "{ended}: {named}");
    }
}
