use super::*;
use crate::accounts::caller::OneTime;
use crate::accounts::one_time::SecondFactor;
use crate::accounts::org::Team;
use crate::accounts::{Token, User};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ALL: [Action; 9] = [
    Action::Read,
    Action::Publish,
    Action::Stage,
    Action::Approve,
    Action::Tag,
    Action::Deprecate,
    Action::Unpublish,
    Action::ChangeOwners,
    Action::ChangeAccess,
];

fn anybody() -> Caller {
    Caller::anybody("127.0.0.1".parse().unwrap())
}

fn user(name: &str) -> Caller {
    token(name, |_| {})
}

/// Returns a caller with a token that `change` altered.
fn token(name: &str, change: impl FnOnce(&mut Token)) -> Caller {
    let (mut token, _) = Token::new(name, 0).unwrap();
    change(&mut token);
    let user = Arc::new(User::new(name, 0));
    Caller { login: Some(Login { user, token: Some(Arc::new(token)) }), ..anybody() }
}

fn org() -> Org {
    let team = |members: &[&str], packages: &[(&str, Grant)]| Team {
        description: String::new(),
        members: members.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
        packages: packages.iter().map(|(name, grant)| ((*name).to_owned(), *grant)).collect(),
    };
    let mut org = Org::new("acme", "boss");
    org.members.insert("dev".to_owned(), Role::Developer);
    org.members.insert("other".to_owned(), Role::Developer);
    let readers = team(&["dev", "guest"], &[("@acme/left", Grant::ReadOnly)]);
    let writers = team(&["writer"], &[("@acme/left", Grant::ReadWrite)]);
    org.teams = BTreeMap::from([("readers".to_owned(), readers), ("writers".to_owned(), writers)]);
    org
}

/// Returns the actions that are allowed with a package that alice owns.
fn allowed(caller: &Caller, settings: &PackageSettings, org: Option<&Org>) -> Vec<Action> {
    let subject = Subject { name: "@acme/left", owners: Some(&["alice"]), settings, org };
    let may = |action: &Action| authorise(caller, *action, &subject, Readers::Everyone).is_ok();
    ALL.into_iter().filter(may).collect()
}

#[test]
fn owners_do_everything_others_read() {
    let settings = PackageSettings::default();
    assert_eq!(allowed(&user("alice"), &settings, None), ALL);
    assert_eq!(allowed(&user("bob"), &settings, None), [Action::Read]);
    assert_eq!(allowed(&anybody(), &settings, None), [Action::Read]);
    let mut admin = user("root");
    if let Some(login) = &mut admin.login {
        let mut user = User::clone(&login.user);
        user.admin = true;
        login.user = Arc::new(user);
    }
    assert_eq!(allowed(&admin, &settings, None), ALL);
}

#[test]
fn restricted_package_is_unknown_to_strangers() {
    let settings = PackageSettings { restricted: true, ..PackageSettings::default() };
    let org = org();
    assert_eq!(allowed(&user("alice"), &settings, None), ALL);
    for caller in [anybody(), user("bob"), user("other")] {
        assert_eq!(allowed(&caller, &settings, Some(&org)), []);
        let subject = Subject {
            name: "@acme/left",
            owners: Some(&["alice"]),
            settings: &settings,
            org: None,
        };
        let failure = authorise(&caller, Action::Read, &subject, Readers::Everyone).unwrap_err();
        assert_eq!(failure.status, 404);
    }
    for reader in ["dev", "guest"] {
        assert_eq!(allowed(&user(reader), &settings, Some(&org)), [Action::Read], "{reader}");
    }
    let limited = |change: fn(&mut Token)| allowed(&token("alice", change), &settings, None);
    assert_eq!(limited(|token| token.packages = vec!["right".to_owned()]), []);
    assert_eq!(limited(|token| token.permission = Permission::NoAccess), []);
    assert_eq!(limited(|token| token.permission = Permission::ReadOnly), [Action::Read]);
}

#[test]
fn teams_write_and_those_who_manage_the_organisation_decide() {
    let (settings, org) = (PackageSettings::default(), org());
    assert_eq!(allowed(&user("boss"), &settings, Some(&org)), ALL);
    assert_eq!(allowed(&user("writer"), &settings, Some(&org)), ALL[..7]);
    assert_eq!(allowed(&user("dev"), &settings, Some(&org)), [Action::Read]);
}

#[test]
fn scope_of_an_organisation_is_its_members_own() {
    let (settings, org) = (PackageSettings::default(), org());
    let may = |caller: &Caller, org: Option<&Org>| {
        let subject = Subject { name: "@acme/new", owners: None, settings: &settings, org };
        authorise(caller, Action::Publish, &subject, Readers::Everyone).map_err(|f| f.status)
    };
    assert!(may(&user("dev"), Some(&org)).is_ok());
    assert_eq!(may(&user("bob"), Some(&org)).unwrap_err(), 403);
    assert!(may(&user("bob"), None).is_ok());
    assert_eq!(may(&anybody(), None).unwrap_err(), 401);
}

#[test]
fn tokens_do_what_they_are_limited_to() {
    let settings = PackageSettings::default();
    let of = |change: fn(&mut Token)| allowed(&token("alice", change), &settings, None);
    assert_eq!(of(|token| token.permission = Permission::ReadOnly), [Action::Read]);
    assert_eq!(of(|token| token.permission = Permission::NoAccess), [Action::Read]);
    let staging = of(|token| token.permission = Permission::ReadWriteStageOnly);
    assert_eq!(staging, [Action::Read, Action::Stage]);
    assert_eq!(of(|token| token.scopes = vec!["other".to_owned()]), [Action::Read]);
    assert_eq!(of(|token| token.scopes = vec!["@acme".to_owned()]), ALL);
    assert_eq!(of(|token| token.packages = vec!["@acme/left".to_owned()]), ALL);
    let publishing = of(|token| token.publisher = Some("1".to_owned()));
    assert_eq!(publishing, [Action::Read, Action::Publish, Action::Stage]);
}

#[test]
fn one_time_passwords_are_asked_for_writes() {
    let with = |mode: Mode, one_time: OneTime, bypass: bool, settings: &PackageSettings| {
        let mut caller = token("alice", |token| token.bypass_second_factor = bypass);
        caller.one_time = one_time;
        if let Some(login) = &mut caller.login {
            let mut user = User::clone(&login.user);
            let mut factor = SecondFactor::new(mode).unwrap();
            factor.pending = false;
            user.second_factor = Some(factor);
            login.user = Arc::new(user);
        }
        allowed(&caller, settings, None).len()
    };
    let free = PackageSettings::default();
    let asks = PackageSettings { publish_requires_tfa: true, ..PackageSettings::default() };
    let mut automation = asks.clone();
    automation.automation_token_overrides_tfa = true;
    let (all, reads_and_stages) = (9, 2);
    assert_eq!(with(Mode::AuthAndWrites, OneTime::Right, false, &free), all);
    assert_eq!(with(Mode::AuthAndWrites, OneTime::Missing, false, &free), reads_and_stages);
    assert_eq!(with(Mode::AuthAndWrites, OneTime::Wrong, false, &free), reads_and_stages);
    assert_eq!(with(Mode::AuthAndWrites, OneTime::Missing, true, &free), all);
    assert_eq!(with(Mode::AuthOnly, OneTime::Missing, false, &free), all);
    assert_eq!(with(Mode::AuthOnly, OneTime::Missing, false, &asks), reads_and_stages);
    assert_eq!(with(Mode::AuthOnly, OneTime::Missing, true, &asks), reads_and_stages);
    assert_eq!(with(Mode::AuthOnly, OneTime::Missing, true, &automation), all);
    let without = allowed(&user("alice"), &asks, None);
    assert_eq!(without, [Action::Read, Action::Stage, Action::ChangeAccess], "no second factor");
}

#[test]
fn registry_for_users_is_closed_to_others() {
    let settings = PackageSettings::default();
    let subject = Subject { name: "left", owners: None, settings: &settings, org: None };
    let read = |caller: &Caller| authorise(caller, Action::Read, &subject, Readers::Users);
    assert_eq!(read(&anybody()).unwrap_err().status, 401);
    assert!(read(&user("bob")).is_ok());
}
