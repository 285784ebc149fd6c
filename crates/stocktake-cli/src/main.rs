//! The command line of Stocktake.
fn main() {}
