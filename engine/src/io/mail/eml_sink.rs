//! Mails as files: `DIR/mail/<alert id>.eml`, one a message, for a mail server or a person to pick up.
//!
//! A file appears under its name only when it is whole. Publishing again writes the same bytes, so a crash loses
//! nothing and repeats nothing; the cursor (clause S9) spares the work.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::message::{MailSender, message};
use crate::alerts::alert::{Alert, AlertTo};
use crate::io::sink_cursor::SinkCursor;
use crate::pipeline::ports::{Change, Forgot, Forgotten, Record, Seq, Sink, SinkError};
use crate::risk::decision::Id;

/// Writes alerts to owners as files.
pub struct EmlSink {
    name: String,
    folder: PathBuf,
    key: Vec<u8>,
    sender: MailSender,
    published_up_to: Option<Seq>,
    written: Vec<PathBuf>,
    each: Box<dyn Fn() + Send>,
}

impl EmlSink {
    /// Key of the sink's cursor in table `sink`, for the data folder `data`.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn cursor_key(data: &Path) -> Result<Vec<u8>, SinkError> {
        let place = data.canonicalize().map_err(|source| failed(data, source))?;
        Ok([b"mail:", place.join("mail").as_os_str().as_encoded_bytes()].concat())
    }

    /// Opens `data/mail`, made if it is not there, behind `stored`, the row under [`EmlSink::cursor_key`].
    ///
    /// # Errors
    /// When the folder cannot be made or the row is not one of this sink.
    pub fn open(data: &Path, sender: MailSender, stored: Option<&[u8]>) -> Result<Self, SinkError> {
        let folder = data.join("mail");
        fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
        let cursor = stored.map(SinkCursor::decode).transpose();
        let cursor =
            cursor.map_err(|why| failed(&folder, io::Error::new(io::ErrorKind::InvalidData, why)))?;
        Ok(Self {
            name: folder.display().to_string(),
            key: Self::cursor_key(data)?,
            folder,
            sender,
            published_up_to: cursor.map(|cursor| cursor.seq),
            written: Vec::new(),
            each: Box::new(|| {}),
        })
    }

    /// Calls `each` once a mail that is written.
    #[must_use]
    pub fn with_each(self, each: impl Fn() + Send + 'static) -> Self {
        Self {
            each: Box::new(each),
            ..self
        }
    }

    fn write(&mut self, alert: &Alert) -> io::Result<()> {
        let bytes = match message(alert, &self.sender) {
            Ok(bytes) => bytes,
            // One address that is none must not stop the mails of all others.
            Err(error) => {
                tracing::warn!(alert = %alert.id, %error, "no mail was written");
                return Ok(());
            }
        };
        let path = self.folder.join(format!("{}.eml", alert.id));
        // A file with other bytes is what a crash left before they reached the disk.
        if fs::read(&path).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        let unfinished = self.folder.join(format!(".{}.eml.part", alert.id));
        fs::write(&unfinished, &bytes)?;
        fs::rename(&unfinished, &path)?;
        (self.each)();
        self.written.push(path);
        Ok(())
    }

    /// Removes the mails of alerts, whole or not.
    fn remove(&self, is_gone: &dyn Fn(&str) -> bool) -> io::Result<u64> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| {
                let name = name.strip_prefix('.').unwrap_or(name);
                name.split_once(".eml").map(|(id, _)| id)
            });
            if id.is_some_and(is_gone) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        if removed > 0 {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(removed)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.written.is_empty() {
            return Ok(());
        }
        for path in self.written.drain(..) {
            match File::open(&path) {
                Ok(file) => file.sync_all()?,
                // Picked up already.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        File::open(&self.folder)?.sync_all()
    }
}

impl Sink for EmlSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.published_up_to
    }

    /// Records carry encoded alerts; those that are not for an owner, or are held back, are passed over.
    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        for record in records {
            let alert = Alert::decode(&record.bytes)
                .map_err(|error| failed(&self.folder, io::Error::new(io::ErrorKind::InvalidData, error)))?;
            if alert.to == AlertTo::Owner && alert.held_back.is_none() && alert.mail.is_some() {
                self.write(&alert)
                    .map_err(|source| failed(&self.folder, source))?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        self.sync().map_err(|source| failed(&self.folder, source))?;
        self.published_up_to = Some(up_to);
        Ok(Some(SinkCursor::new(up_to, 0, &[]).change(&self.key)))
    }

    fn expire(&mut self, alerts: &[Id]) -> Result<(), SinkError> {
        for alert in alerts {
            match fs::remove_file(self.folder.join(format!("{alert}.eml"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&self.folder, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Mails go at once: whoever asks again after a crash asks for nothing else.
    fn forget(&mut self, user: &Forgotten<'_>) -> Result<Forgot, SinkError> {
        let removed = self
            .remove(user.alert)
            .map_err(|source| failed(&self.folder, source))?;
        Ok(Forgot {
            removed,
            cursor: None,
        })
    }
}

fn failed(path: &Path, source: io::Error) -> SinkError {
    SinkError {
        sink: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::{MailFacts, SecondFactor};
    use crate::alerts::classify::OwnerKind;
    use crate::alerts::place::Place;
    use crate::alerts::silence::HeldBack;
    use crate::pipeline::ports::Keyspace;
    use crate::risk::decision::DeviceState;

    fn sender() -> MailSender {
        MailSender {
            name: "Shop".to_owned(),
            address: "no-reply@shop.example".to_owned(),
        }
    }

    fn alert(id: u8) -> Alert {
        Alert {
            id: Id([id; 16]),
            kind: "unknown_device_in".into(),
            to: AlertTo::Owner,
            tenant: "default".into(),
            user_id: Some("jane".into()),
            seq: id.into(),
            created: 1_780_000_000_000_000,
            event_time: 1_780_000_000_000_000,
            decision: Id([0; 16]),
            held_back: None,
            mail: Some(MailFacts {
                kind: OwnerKind::UnknownDeviceIn,
                address: "jane@example.org".into(),
                account: "jane@example.org".into(),
                application: "Shop".into(),
                help_text: "".into(),
                locale: None,
                time_zone: None,
                device_family: "".into(),
                device_os: "".into(),
                device_state: DeviceState::New,
                place: Place::Unknown,
                proven: Vec::new(),
                second_factor: SecondFactor::NotAsked,
                wrong_passwords: 0,
                last_sign_in: None,
                phishing_possible: false,
                held_back_before: 0,
            }),
        }
    }

    fn record(alert: &Alert) -> Record {
        Record {
            seq: alert.seq,
            bytes: alert.encode(),
        }
    }

    fn files(data: &Path) -> Vec<String> {
        let entries = fs::read_dir(data.join("mail")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_file_a_mail_and_the_same_again() {
        let data = tempfile::tempdir().unwrap();
        let mut sink = EmlSink::open(data.path(), sender(), None).unwrap();
        assert_eq!(sink.published_up_to(), None);
        let records = [record(&alert(1)), record(&alert(2))];
        sink.publish(&records).unwrap();
        let expected = [format!("{}.eml", Id([1; 16])), format!("{}.eml", Id([2; 16]))];
        assert_eq!(files(data.path()), expected);
        let path = data.path().join("mail").join(&expected[0]);
        assert_eq!(fs::read(&path).unwrap(), message(&alert(1), &sender()).unwrap());
        sink.publish(&records).unwrap();
        assert_eq!(files(data.path()), expected);
    }

    #[test]
    fn a_torn_file_is_written_again() {
        let data = tempfile::tempdir().unwrap();
        let mut sink = EmlSink::open(data.path(), sender(), None).unwrap();
        let path = data.path().join("mail").join(format!("{}.eml", Id([1; 16])));
        fs::write(&path, b"From: ").unwrap();
        sink.publish(&[record(&alert(1))]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), message(&alert(1), &sender()).unwrap());
    }

    #[test]
    fn what_is_held_back_for_others_or_without_address_is_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let mut sink = EmlSink::open(data.path(), sender(), None).unwrap();
        let held = Alert {
            held_back: Some(HeldBack::Budget),
            ..alert(1)
        };
        let analyst = Alert {
            to: AlertTo::Analyst,
            mail: None,
            ..alert(2)
        };
        let mut unaddressed = alert(3);
        unaddressed.mail.as_mut().unwrap().address = "nobody".into();
        sink.publish(&[record(&held), record(&analyst), record(&unaddressed)])
            .unwrap();
        assert_eq!(files(data.path()), Vec::<String>::new());
        let damaged = Record {
            seq: 4,
            bytes: vec![1, 2, 3],
        };
        assert!(sink.publish(&[damaged]).is_err());
    }

    #[test]
    fn the_cursor_leads_on() {
        let data = tempfile::tempdir().unwrap();
        let mut sink = EmlSink::open(data.path(), sender(), None).unwrap();
        sink.publish(&[record(&alert(1))]).unwrap();
        fs::remove_file(data.path().join("mail").join(format!("{}.eml", Id([1; 16])))).unwrap();
        let change = sink.acknowledge(9).unwrap().unwrap();
        assert_eq!(change.keyspace, Keyspace::Sink);
        assert_eq!(change.key, EmlSink::cursor_key(data.path()).unwrap());
        let again = EmlSink::open(data.path(), sender(), change.value.as_deref()).unwrap();
        assert_eq!(again.published_up_to(), Some(9));
        assert!(EmlSink::open(data.path(), sender(), Some(&[9, 9])).is_err());
    }
}
