use super::*;

#[test]
fn the_shipped_table_is_sound_and_knows_what_every_express_has() {
    let table = Chain::decode(SHIPPED).unwrap();
    assert!(SHIPPED.len() < 400_000, "{}", SHIPPED.len());
    let predicted = predict(&[table], &[Seed::of("express", "^4").unwrap()], LEAST);
    for name in ["body-parser", "send", "debug", "ms"] {
        assert!(predicted.iter().any(|prediction| prediction.name == name), "{name}");
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (day, date) in
        [(0, 19700101), (59, 19700301), (11_016, 20000229), (20_782, 20261125), (47_540, 21000228)]
    {
        assert_eq!(date_of(day), date, "{day}");
    }
    assert!(table_date() >= 20261101, "{}", table_date());
}
