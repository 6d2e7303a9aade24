//! `pack IN OUT [LEVEL]`: packs one file in the format that OUT's name asks for and prints seconds and bytes.
#![allow(clippy::disallowed_methods, reason = "an example opens the files that its user names")]

use std::fs::File;
use std::time::Instant;

use kiln_content::archive::Entry;
use kiln_content::compress::{Options, Packing, compress};
use kiln_content::no_progress;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("usage: pack IN OUT [LEVEL]".into());
    };
    let options =
        Options { level: args.next().map(|level| level.parse()).transpose()?, ..Options::default() };
    let packing = Packing::by_name(&output).ok_or("the output's extension is not known")?;
    let started = Instant::now();
    let entry = Entry::new("input", File::open(input)?);
    let bytes = compress(
        vec![entry],
        File::create(output)?,
        packing,
        options,
        no_progress(),
        CancellationToken::new(),
    )
    .await?;
    println!("{:.3} s, {bytes} bytes", started.elapsed().as_secs_f64());
    Ok(())
}
