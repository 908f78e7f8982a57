//! Lets the addon leave Node's own symbols to Node.
fn main() {
    napi_build::setup();
}
