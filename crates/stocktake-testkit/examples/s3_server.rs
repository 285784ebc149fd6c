//! Serves a bucket `flat` of so many invented keys, and any other bucket empty, until standard input ends.
//!
//! `cargo run --release --package stocktake-testkit --example s3_server -- 2000000 [FAILING_PERCENT [PAUSE_MS]]` prints the endpoint's URL.
#![expect(clippy::print_stdout, reason = "the URL is what the program is for")]

use std::{error::Error, io::Read};
use stocktake_testkit::s3::{Fault, FlatKeys, S3Server, ServerOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().ok_or("how many keys?")?.parse()?;
    let failing: u64 = arguments.next().map_or(Ok(0), |percent| percent.parse())?;
    let pause_ms: u64 = arguments.next().map_or(Ok(0), |pause| pause.parse())?;
    let server = S3Server::start(ServerOptions::default())?;
    server.store().flat.insert("flat".to_owned(), FlatKeys { count });
    server.faults().choose(move |_, number| {
        // Scattered, and the same in every run.
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let faults = [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::TruncatedBody];
        let fails = (mixed % 100 < failing).then(|| faults[(mixed / 100 % 4) as usize]);
        fails.or((pause_ms > 0).then_some(Fault::Slow(pause_ms)))
    });
    println!("{}", server.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!(
        "{} requests, at most {} at once, {} failed",
        server.log().len(),
        server.at_once_max(),
        server.faults().shown()
    );
    Ok(())
}
