//! SCRAM over TLS.

use super::broker::Own;
use super::crash::{made, world};
use super::kafka::World;
use super::load::now;
use doorward::generate::EventBuilder;

#[test]
fn scram_over_tls_with_the_right_password_only() {
    let Some(own) = Own::start("SCRAM over TLS", true) else {
        return;
    };
    let (host, port) = own.brokers.rsplit_once(':').expect("host:port");
    let port: u16 = port.parse().expect("a port");
    let secured = format!("{host}:{}", port + 2);
    let authority = own.folder().join("tls/ca.pem").display().to_string();
    let plain = world(&own.brokers, 1).set("DOORWARD_LOG_LEVEL", "debug");
    let secure = |password: &str| {
        let world = World {
            brokers: plain.brokers.clone(),
            name: plain.name.clone(),
            settings: plain.settings.clone(),
        };
        world
            .set("DOORWARD_KAFKA_BROKERS", &secured)
            .set("DOORWARD_KAFKA_TLS", "true")
            .set("DOORWARD_KAFKA_CA_FILE", &authority)
            .set("DOORWARD_KAFKA_SASL", "scram-sha-512")
            .set("DOORWARD_KAFKA_USER", "doorward")
            .set("DOORWARD_KAFKA_PASSWORD", password)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let world = secure("secret");
    made(&world, folder.path());
    let line = EventBuilder::login("e-1", "t", "anna")
        .at(now())
        .address("192.0.2.7")
        .line();
    let sender = plain.producer();
    sender.send(Some("anna"), Some(&line), None);
    sender.flush();
    let running = world.start(folder.path(), &[]);
    plain
        .reader("decisions")
        .until("a decision", |read| !read.is_empty());
    running.stop_well();
    let (code, log) = secure("wrong").run(folder.path(), &[]);
    assert_eq!(code, Some(4), "{log}");
    assert!(
        log.to_ascii_lowercase().contains("authentication failed"),
        "{log}"
    );
    assert!(!log.contains("wrong"), "the password is in the log: {log}");
}
