//! `doorward demo`: two weeks of made-up life with attacks in it, through the real engine.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "Example:
  doorward demo
  doorward demo --seed 2 --data ./doorward-demo-2

Run it twice: the second time there is nothing new to decide, and it says so.";

/// Arguments of `doorward demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct DemoArgs {
    /// Which life to play; the same number plays the same life
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Folder of the store and the mails; `doorward run` does not touch it
    #[arg(long, value_name = "DIR", default_value = "./doorward-demo")]
    pub data: PathBuf,
    /// Users who live in it
    #[arg(
        long,
        value_name = "N",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(20..=100_000)
    )]
    pub users: u32,
    /// Days that pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = 14,
        value_parser = clap::value_parser!(u32).range(3..=365)
    )]
    pub days: u32,
}
