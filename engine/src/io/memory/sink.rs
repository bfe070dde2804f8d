//! A sink that keeps what it is given.

use crate::io::sink_cursor::SinkCursor;
use crate::pipeline::ports::{Change, Record, Seq, Sink, SinkError};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The place that a [`MemorySink`] publishes to. It outlives the sink, as a file does, so that a test can end a
/// pipeline anywhere and begin again.
#[derive(Debug, Clone, Default)]
pub struct Published {
    records: Arc<Mutex<Vec<Record>>>,
}

/// The twin of a file sink: exactly once, with a cursor.
#[derive(Debug)]
pub struct MemorySink {
    name: String,
    published: Published,
    acknowledged: Option<Seq>,
}

impl Published {
    /// All records so far, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().clone()
    }

    /// What a file would hold: each record and a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in self.lock().iter() {
            bytes.extend_from_slice(&record.bytes);
            bytes.push(b'\n');
        }
        bytes
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemorySink {
    /// Key of the cursor in table `sink`.
    #[must_use]
    pub fn cursor_key(name: &str) -> Vec<u8> {
        format!("memory:{name}").into_bytes()
    }

    /// Goes on behind `stored`, the cursor row under [`MemorySink::cursor_key`], and takes back what came after it.
    ///
    /// # Errors
    /// When the row cannot be read, or fewer records are there than it says.
    pub fn open(name: &str, published: &Published, stored: Option<&[u8]>) -> Result<Self, SinkError> {
        let failed = |text: String| SinkError {
            sink: name.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, text),
        };
        let cursor = stored.map(SinkCursor::decode).transpose().map_err(failed)?;
        let mut records = published.lock();
        let held = records.len();
        let kept = cursor.map_or(0, |cursor| usize::try_from(cursor.length).unwrap_or(usize::MAX));
        if held < kept {
            return Err(failed(format!(
                "it holds {held} records, but {kept} were published"
            )));
        }
        records.truncate(kept);
        drop(records);
        Ok(Self {
            name: name.to_owned(),
            published: published.clone(),
            acknowledged: cursor.map(|cursor| cursor.seq),
        })
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.acknowledged
    }

    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.published.lock().extend_from_slice(records);
        Ok(())
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        self.acknowledged = Some(up_to);
        let length = self.published.lock().len() as u64;
        let cursor = SinkCursor::new(up_to, length, &[]);
        Ok(Some(cursor.change(&Self::cursor_key(&self.name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: Seq) -> Record {
        Record {
            seq,
            bytes: seq.to_string().into_bytes(),
        }
    }

    #[test]
    fn what_came_behind_the_cursor_is_taken_back() {
        let published = Published::default();
        let mut sink = MemorySink::open("decisions", &published, None).unwrap();
        assert_eq!(sink.published_up_to(), None);
        sink.publish(&[record(1), record(2)]).unwrap();
        let row = sink.acknowledge(2).unwrap().unwrap().value.unwrap();
        sink.publish(&[record(3)]).unwrap();
        assert_eq!(published.bytes(), b"1\n2\n3\n");
        let sink = MemorySink::open("decisions", &published, Some(&row)).unwrap();
        assert_eq!(sink.published_up_to(), Some(2));
        assert_eq!(published.records(), [record(1), record(2)]);
    }
}
