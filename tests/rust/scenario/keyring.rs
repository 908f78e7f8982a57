//! The keyring of a scenario, as its steps list it.

use std::collections::BTreeMap;
use std::fmt::Write;

use espseal::Keyring;
use espseal::sealed::Address;

use crate::records::Record;

pub(super) struct Entries {
    head: String,
    devices: BTreeMap<String, Entry>,
}

struct Entry {
    address: Address,
    table: String,
}

impl Entries {
    pub(super) fn new(scenario: &Record) -> Self {
        let mut head = format!(
            "version = 1\nsession_key = \"{}\"\n[[fleet]]\nname = \"fleet\"\nkey = {{ hex = \"{}\" }}\ndanger_first_contact = {}\n",
            scenario.text("session_key"),
            scenario.text("fleet_key"),
            scenario.flag("danger_first_contact"),
        );
        if scenario.optional("iv_key").is_some() {
            head += "[[classic_group]]\nname = \"group\"\ntopic = \"#\"\ndanger_accept_replays = true\n[classic_group.keys]\n";
            for field in ["iv_key", "data_key", "static_iv", "passphrase"] {
                let digits = scenario.text(field);
                writeln!(head, "{field} = {{ hex = \"{digits}\" }}").unwrap();
            }
        }
        Self {
            head,
            devices: BTreeMap::new(),
        }
    }

    pub(super) fn put(&mut self, step: &Record) {
        let name = step.text("device");
        let address = Address::parse(step.text("address")).unwrap();
        let mut table = format!("[[device]]\nname = \"{name}\"\n");
        if let Some(node_id) = step.optional("node_id") {
            writeln!(
                table,
                "classic = {{ group = \"group\", node_id = {{ hex = \"{node_id}\" }} }}"
            )
            .unwrap();
        }
        write!(
            table,
            "sealed = {{ fleet = \"fleet\", address = \"{address}\""
        )
        .unwrap();
        if let Some(key) = step.optional("device_key") {
            write!(table, ", key = {{ hex = \"{key}\" }}").unwrap();
        }
        if let Some(epoch) = step.optional("minimum_epoch") {
            write!(table, ", minimum_epoch = {epoch}").unwrap();
        }
        if step.flag("revoked") {
            table += ", revoked = true";
        }
        table += " }\n";
        self.devices
            .insert(name.to_owned(), Entry { address, table });
    }

    pub(super) fn remove(&mut self, name: &str) {
        assert!(self.devices.remove(name).is_some(), "{name} is not listed");
    }

    pub(super) fn address(&self, name: &str) -> Address {
        self.devices[name].address
    }

    pub(super) fn keyring(&self) -> Keyring {
        let tables = self.devices.values().map(|entry| entry.table.as_str());
        let text: String = [self.head.as_str()].into_iter().chain(tables).collect();
        Keyring::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}
