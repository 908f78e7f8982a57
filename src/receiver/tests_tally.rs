//! Whose frames are counted, and what becomes of counts that cannot be stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Receiver;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::sealed::{Address, Direction, FrameKeys, Kind, Sealing, seal};
use crate::store::{MemoryStore, Store, Transaction};
use crate::verdict::Verdict;

const KEYRING: &str = r#"version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[[fleet]]
name = "home"
key = { hex = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f" }
danger_first_contact = true
[[device]]
name = "kitchen"
sealed = { fleet = "home", address = "0000000000000001" }
[[device]]
name = "lost"
sealed = { fleet = "home", address = "0000000000000002", revoked = true }
[[device]]
name = "silent"
sealed = { fleet = "home", address = "0000000000000003" }
"#;

fn address(last: u8) -> Address {
    Address::new([0, 0, 0, 0, 0, 0, 0, last])
}

fn frame(keyring: &Keyring, device: usize, counter: u64) -> Vec<u8> {
    let key = keyring.device_key(device, 0).unwrap();
    let keys = FrameKeys::new(&key, Direction::Uplink);
    let address = keyring.devices()[device].sealed.as_ref().unwrap().address;
    let sealing = Sealing {
        epoch: 0,
        address,
        kind: Kind::Data,
        counter,
        session: None,
        context: b"",
    };
    seal(&keys, &sealing, b"21.5").unwrap()
}

fn counted(store: &dyn Store, address: Address) -> Vec<(&'static str, u64)> {
    let mut counts = [0; Verdict::COUNT];
    store
        .transact(&mut |transaction| {
            counts = transaction.device_counts(address)?;
            Ok(())
        })
        .unwrap();
    let words = Verdict::ALL.iter().map(|verdict| verdict.code());
    words.zip(counts).filter(|(_, count)| *count > 0).collect()
}

#[test]
fn frames_are_counted_for_the_device_that_they_are_of_or_claim_to_be_of() {
    let keyring = Arc::new(Keyring::parse(KEYRING).unwrap());
    let store = Arc::new(MemoryStore::default());
    let receiver = Receiver::new(keyring.clone(), store.clone(), true).unwrap();
    let open = |frame: &[u8]| receiver.open(frame, None, false).unwrap().verdict;
    let first = frame(&keyring, 0, 1);
    assert_eq!(open(&first), Verdict::Fresh);
    assert_eq!(open(&frame(&keyring, 0, 2)), Verdict::Fresh);
    assert_eq!(open(&first), Verdict::Duplicate);
    let mut forged = frame(&keyring, 0, 3);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(open(&forged), Verdict::Forged);
    assert_eq!(open(&frame(&keyring, 1, 1)), Verdict::Revoked);
    assert_eq!(open(b"garbage"), Verdict::Malformed);
    drop(receiver);
    assert_eq!(
        counted(&*store, address(1)),
        [("forged", 1), ("duplicate", 1), ("fresh", 2)]
    );
    assert_eq!(counted(&*store, address(2)), [("revoked", 1)]);
    assert_eq!(counted(&*store, address(3)), []);
}

/// Refuses what it is told to refuse.
#[derive(Debug, Default)]
struct Stubborn {
    store: MemoryStore,
    refuses: AtomicBool,
}

impl Store for Stubborn {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("as told".to_owned()));
        }
        self.store.transact(work)
    }
}

#[test]
fn counts_that_could_not_be_stored_are_stored_later_and_once() {
    let keyring = Arc::new(Keyring::parse(KEYRING).unwrap());
    let store = Arc::new(Stubborn::default());
    let receiver = Receiver::new(keyring.clone(), store.clone(), true).unwrap();
    receiver.open(&frame(&keyring, 0, 1), None, false).unwrap();
    store.refuses.store(true, Ordering::Relaxed);
    assert!(receiver.tally.store_all(&*store, &keyring).is_err());
    store.refuses.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        receiver.tally.store_all(&*store, &keyring).unwrap();
        assert_eq!(counted(&*store, address(1)), [("fresh", 1)]);
    }
}
