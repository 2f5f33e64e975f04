use super::super::results::examples::cell;
use super::super::scenario::Scenario;
use super::is_slow;

#[test]
fn whoever_took_long_without_a_delay_is_slow() {
    let elsewhere = |mut cell: super::Cell, fixture: &str, network: &str| {
        cell.fixture = fixture.to_owned();
        cell.network = network.to_owned();
        cell
    };
    let found = [
        cell("cold", "npm", &[5.0, 41.0, 40.0], None),
        cell("cold", "bun", &[2.0, 30.0, 2.5], None),
        cell("cold", "yarn", &[], Some("it failed")),
        elsewhere(cell("cold", "pnpm", &[50.0], None), "large", "50ms"),
        elsewhere(cell("cold", "pnpm", &[50.0], None), "huge", "none"),
        cell("ci", "pnpm", &[50.0], None),
    ];
    let slow = |manager| is_slow(&found, "large", Scenario::Cold, manager);
    assert_eq!(
        ["npm", "bun", "yarn", "pnpm", "unknown"].map(slow),
        [true, false, false, false, false]
    );
}
