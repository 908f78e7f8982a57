//! The shared scenarios of hosts: one test for each, on both stores.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod records;
mod scenario;

use records::read;
use scenario::{Backing, play};

macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        mod memory {
            $(#[test] fn $name() { super::run(stringify!($name), super::Backing::Memory); })+
        }
        mod sqlite {
            $(#[test] fn $name() { super::run(stringify!($name), super::Backing::Sqlite); })+
        }
    };
}

scenarios![
    first_contact,
    contact_by_data,
    empty_store,
    restored_store,
    heads_are_floors,
    tombstone,
    restart,
    danger_first_contact,
    wiped_device,
    withheld_above,
    withheld_hello,
    hello_below_window,
    hello_once_per_tag,
    hellos_swapped,
    welcome_lost,
    session_until_acknowledged,
    last_counter,
    near_last_counter,
    bodies,
    rotate_asleep,
    rotate,
    rotate_acknowledgement_lost,
    one_window_across_epochs,
    ahead,
    minimum_epoch,
    look_up,
    unknown_device,
    revoked,
    reflected,
    forged,
    stale_beacon,
    retained,
    armored,
    asked_once_a_minute,
    downgraded,
    classic_f5,
    two_gateways,
    false_beacons,
    clock_back,
    clock_forward_and_back,
];

#[test]
fn each_scenario_has_a_test() {
    let records = read("sealed_scenario.txt");
    let first = records
        .iter()
        .filter(|record| record.text("step") == "scenario");
    let names: Vec<String> = first
        .map(|record| record.name().replace('-', "_"))
        .collect();
    assert_eq!(names, NAMES);
}

fn run(name: &str, backing: Backing) {
    let name = name.replace('_', "-");
    let records = read("sealed_scenario.txt");
    let start = records.iter().position(|record| record.name() == name);
    let (first, rest) = records[start.unwrap()..].split_first().unwrap();
    let steps = rest
        .iter()
        .take_while(|record| record.text("step") != "scenario");
    play(first, steps, backing);
}
