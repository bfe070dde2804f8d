//! Lines to standard output: at least once.
//!
//! What was printed cannot be taken back, so a crash between printing and the next commit prints that batch again.
//! The cursor only says where to go on. A reader that goes away ends the program, but it is no failure: the error's
//! source is then of kind `BrokenPipe`, and the caller leaves quietly.

use super::SinkKind;
use crate::io::sink_cursor::SinkCursor;
use crate::pipeline::ports::{Change, Record, Seq, Sink, SinkError};
use std::io::{self, Stdout, Write};

/// Writes whole batches to standard output.
pub struct StdoutSink<W = Stdout> {
    out: W,
    cursor_key: Vec<u8>,
    published_up_to: Option<Seq>,
    buffer: Vec<u8>,
}

impl StdoutSink {
    /// Key of the cursor in table `sink`.
    #[must_use]
    pub fn cursor_key(kind: SinkKind) -> Vec<u8> {
        kind.cursor_key(b"-")
    }

    /// Goes on behind `stored`, the row under [`StdoutSink::cursor_key`]; without it, from now on.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn open(kind: SinkKind, stored: Option<&[u8]>) -> Result<Self, SinkError> {
        Self::over(io::stdout(), kind, stored)
    }
}

impl<W: Write> StdoutSink<W> {
    fn over(out: W, kind: SinkKind, stored: Option<&[u8]>) -> Result<Self, SinkError> {
        let cursor = stored.map(SinkCursor::decode).transpose();
        let cursor = cursor.map_err(|text| failed(io::Error::new(io::ErrorKind::InvalidData, text)))?;
        Ok(Self {
            out,
            cursor_key: StdoutSink::cursor_key(kind),
            published_up_to: cursor.map(|cursor| cursor.seq),
            buffer: Vec::new(),
        })
    }
}

fn failed(source: io::Error) -> SinkError {
    SinkError {
        sink: "-".to_owned(),
        source,
    }
}

impl<W: Write + Send> Sink for StdoutSink<W> {
    fn name(&self) -> &str {
        "-"
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.published_up_to
    }

    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.buffer.clear();
        for record in records {
            self.buffer.extend_from_slice(&record.bytes);
            self.buffer.push(b'\n');
        }
        self.out.write_all(&self.buffer).map_err(failed)?;
        self.out.flush().map_err(failed)
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        self.published_up_to = Some(up_to);
        let cursor = SinkCursor::new(up_to, 0, &[]);
        Ok(Some(cursor.change(&self.cursor_key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn records() -> [Record; 2] {
        [b"a", b"b"].map(|line| Record {
            seq: 1,
            bytes: line.to_vec(),
        })
    }

    #[test]
    fn prints_a_line_a_record_and_goes_on_behind_its_cursor() {
        let mut sink = StdoutSink::over(Vec::new(), SinkKind::Decisions, None).unwrap();
        assert_eq!(sink.published_up_to(), None);
        sink.publish(&records()).unwrap();
        assert_eq!(sink.out, b"a\nb\n");
        let change = sink.acknowledge(7).unwrap().unwrap();
        assert_eq!(change.key, b"decisions:-");
        let row = change.value.unwrap();
        let sink = StdoutSink::over(Vec::new(), SinkKind::Decisions, Some(&row)).unwrap();
        assert_eq!(sink.published_up_to(), Some(7));
    }

    #[test]
    fn a_reader_that_went_away_is_told_apart() {
        let mut sink = StdoutSink::over(Gone, SinkKind::Decisions, None).unwrap();
        let error = sink.publish(&records()).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::BrokenPipe);
    }
}
