//! `cargo bench -p doorward-benches --bench lines -- --users N [--visits N] [--turn N] [--from-day N] [--days N]`: writes
//! the lines of logins to standard output, for the real program. Without `--visits` every user signs in once.

use std::io::{BufWriter, ErrorKind, Write};

use doorward::generate::random::Random;
use doorward_benches::logins::Logins;
use doorward_benches::world::Failure;

struct Args {
    users: u64,
    /// Visits of users drawn at random.
    visits: Option<u64>,
    /// Where the numbering of visits starts: two calls with other turns write other events.
    turn: u64,
    from_day: i64,
    /// Days over which the visits are spread.
    days: i64,
}

fn args() -> Result<Args, Failure> {
    let mut args = Args {
        users: 1_000,
        visits: None,
        turn: 0,
        from_day: 0,
        days: 1,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--users" => args.users = value()?.parse()?,
            "--visits" => args.visits = Some(value()?.parse()?),
            "--turn" => args.turn = value()?.parse()?,
            "--from-day" => args.from_day = value()?.parse()?,
            "--days" => args.days = value()?.parse()?,
            // What `cargo bench` itself adds.
            "--bench" => {}
            _ => return Err(format!("`{word}` is not known").into()),
        }
    }
    Ok(args)
}

fn main() -> Result<(), Failure> {
    let args = args()?;
    let logins = Logins::new()?;
    let visits = args.visits.unwrap_or(args.users).max(1);
    let between = args.days * 86_400_000_000 / i64::try_from(visits)?;
    let mut random = Random::stream(args.turn, "lines", 0);
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut lines = Vec::new();
    let mut time = logins.start().plus_days(args.from_day);
    for visit in 0..visits {
        let user = match args.visits {
            Some(_) => random.below(args.users),
            None => visit,
        };
        logins.visit(user, args.turn + visit, time, &mut lines);
        time = time.plus_micros(between);
        for mut line in lines.drain(..) {
            line.bytes.push(b'\n');
            match out.write_all(&line.bytes) {
                // Who reads has enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            }
        }
    }
    out.flush().or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error.into()),
    })
}
