//! Opening a sealed frame allocates nothing but the data of its message.
#![allow(unsafe_code, reason = "an allocator that counts")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod house;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use espseal::{Delivery, MemoryStore};

use house::{House, KEYRING, KITCHEN, data};

/// Counts what each thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system's allocator's; a counter beside it changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_message_allocates_its_data_and_nothing_else() {
    let mut house = House::new(
        KEYRING,
        Arc::new(MemoryStore::default()),
        Delivery::AtMostOnce,
    );
    let head = house.meet(KITCHEN);
    let beacon = house.mint();
    // What is made once for each device.
    assert_eq!(house.word(&data(KITCHEN, head + 1, None)), "fresh");
    assert_eq!(house.word(&data(KITCHEN, head + 2, Some(beacon))), "fresh");

    let unbound = data(KITCHEN, head + 3, None);
    let bound = data(KITCHEN, head + 4, Some(beacon));
    let mut forged = data(KITCHEN, head + 5, None);
    *forged.last_mut().unwrap() ^= 1;
    let old = data(KITCHEN, 5, None);
    for (frame, word) in [
        (&unbound, "fresh"),
        (&unbound, "duplicate"),
        (&bound, "fresh"),
        (&bound, "duplicate"),
        (&forged, "forged"),
        (&old, "replayed"),
        (&vec![0xf5; 100], "malformed"),
    ] {
        let before = ALLOCATIONS.get();
        let message = house.receiver.open(frame, None, false).unwrap();
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(message.verdict.code(), word);
        assert_eq!(allocations, usize::from(message.data.is_some()), "{word}");
    }
}
