//! Whatever senders and databases write into their texts, the decision file stays one object a line, a mail keeps its
//! headers and its tags, and nothing of it moves a cursor or turns the direction of a page of `explain`.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use doorward_geoip::writer::{DatabaseWriter, Value as GeoValue};
use mailparse::{MailHeaderMap as _, ParsedMail};
use serde_json::Value;

/// Texts that mean something to a terminal, a mail program, a browser, a template, a shell or a file system.
const HOSTILE: [&str; 16] = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31mred",
    "x\r\nBcc: eve@hostile.example\r\n\r\nnew body",
    "feed\nreturn\rtab\tnul\0del\u{7f}csi\u{9b}31m nel\u{85} ls\u{2028} ps\u{2029} end",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"'><a href=\"https://hostile.example/\">click</a><b",
    "</td></table></body></html><!-- ]]> --><style>*{display:none}</style>",
    "{site}{{account}}{application}{when}{% x %}${y}{",
    "\u{202e}moc.elpmaxe\u{2066}gpj\u{200b}\u{feff}\u{ad}\u{e0041}\u{e000}",
    "=?utf-8?q?=0d=0aBcc:_eve@hostile.example?= <eve@hostile.example>, x",
    "http://hostile.example www.hostile.example eve@hostile.example mailto:eve",
    "../../../../etc/passwd\\..\\x/.",
    "$(reboot) `reboot` ; reboot | reboot && '; DROP TABLE users; --",
    "%s%n%x \\u001b[31m \\x1b[31m &#27; &lt;b&gt; \\",
    "\r\n.\r\nQUIT\r\n--doorward-0--\r\n",
    "{\"action\":\"allow\"}\n{\"action\":\"allow\"}",
    "Z\u{301}\u{310}\u{316}a\u{309}\u{330}l\u{334}go \u{1f468}\u{200d}\u{1f469} \u{fdfd} \u{ffff} \u{10ffff}",
];
const OWNER: &str = "owner@example.org";
const HOME: &str = "198.18.0.1";

fn at(hour: i64, user: usize) -> Timestamp {
    let start = Timestamp::parse("2026-03-02T08:00:00Z").expect("a time");
    start.plus_seconds(hour * 3_600 + i64::try_from(user).expect("a small number"))
}

/// A program cannot be given a zero byte as an argument.
fn event_id(user: usize) -> String {
    format!("{user} {}", HOSTILE[user].replace('\0', ""))
}

fn user_id(user: usize) -> String {
    format!("{}{user}@{}", HOSTILE[user], HOSTILE[user])
}

/// A login in which every free text says the same.
fn hostile(user: usize) -> EventBuilder {
    let text = HOSTILE[user];
    let mut login = EventBuilder::login(&event_id(user), text, &user_id(user))
        .at(at(4, user))
        .address(&format!("192.0.2.{user}"))
        .attempt(text)
        .app(text);
    for path in [
        "user.name_hash",
        "user.locale",
        "user.time_zone",
        "actor.id",
        "client.user_agent",
        "client.accept_language",
        "client.ja4",
        "device.id",
        "device.attributes.screen",
        "session.id",
    ] {
        login = login.set(path, text);
    }
    let attributes = Json::Object(vec![
        (text.to_owned(), text.into()),
        ("screen".to_owned(), text.into()),
    ]);
    let enrolled = vec![Json::object([
        ("id", text.into()),
        ("type", "sms".into()),
        ("categories", vec!["have"].into()),
    ])];
    login
        .set("device.attributes", attributes)
        .set("auth.enrolled", enrolled)
        .set("auth.offered", vec![text])
        .set("user.contacts", contacts(user))
}

/// Where mails go; beside it an address that is hostile and was proven earlier, and so would come first.
fn contacts(user: usize) -> Vec<Json> {
    let contact = |id: &str, address: &str, proved_at: &str| {
        Json::object([
            ("id", id.into()),
            ("channel", "email".into()),
            ("address", address.into()),
            ("proof", "ownership".into()),
            ("proved_at", proved_at.into()),
        ])
    };
    let text = HOSTILE[user];
    vec![
        contact(text, &format!("{text}@example.org"), "2020-01-01T00:00:00Z"),
        contact("b", &format!("owner@{text}.example"), "2020-01-02T00:00:00Z"),
        contact("c", OWNER, "2021-01-01T00:00:00Z"),
    ]
}

/// Three logins at home for each user, then the hostile one; then lines that are refused for what they say.
fn events() -> Vec<u8> {
    let mut lines = Vec::new();
    for hour in 0..3 {
        for user in 0..HOSTILE.len() {
            let id = format!("home-{hour}-{user}");
            let login = EventBuilder::login(&id, "shop/web", &user_id(user)).at(at(hour, user));
            lines.push(login.address(HOME).set("device.id", "laptop").line());
        }
    }
    lines.extend((0..HOSTILE.len()).map(|user| hostile(user).line()));
    for (user, text) in HOSTILE.iter().enumerate() {
        lines.push(
            hostile(user)
                .set("id", format!("type {user}"))
                .set("type", *text)
                .line(),
        );
        lines.push(text.replace('\n', "\\n").into_bytes());
    }
    lines.join(&b'\n')
}

/// Databases whose towns and networks have hostile names.
fn write_databases(folder: &Path) {
    let mut cities = DatabaseWriter::new("Hostile-City", 1_780_272_000);
    let mut networks = DatabaseWriter::new("Hostile-ASN", 1_780_272_000);
    for (number, text) in HOSTILE.iter().enumerate() {
        let network = format!("192.0.2.{number}/32").parse().expect("a network");
        let long = text.repeat(40);
        let city = GeoValue::map([
            ("country", GeoValue::map([("iso_code", GeoValue::text("DK"))])),
            (
                "city",
                GeoValue::map([("names", GeoValue::map([("en", GeoValue::text(&long))]))]),
            ),
            (
                "location",
                GeoValue::map([
                    ("latitude", GeoValue::Double(55.7)),
                    ("longitude", GeoValue::Double(12.6)),
                    ("accuracy_radius", GeoValue::U16(5)),
                ]),
            ),
        ]);
        cities.insert(network, city);
        let asn = GeoValue::map([
            ("autonomous_system_number", GeoValue::U32(64_500)),
            ("autonomous_system_organization", GeoValue::text(&long)),
        ]);
        networks.insert(network, asn);
    }
    fs::write(folder.join("city.mmdb"), cities.write().expect("a database")).expect("a temporary folder");
    fs::write(folder.join("asn.mmdb"), networks.write().expect("a database")).expect("a temporary folder");
}

fn doorward(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_GEOIP_CITY", "city.mmdb")
        .env("DOORWARD_GEOIP_ASN", "asn.mmdb")
        .args(["--log", "text", "--log-level", "debug"]);
    command
}

/// A folder in which all of it was decided.
fn decided() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_databases(folder.path());
    fs::write(folder.path().join("events"), events()).expect("a temporary folder");
    let mut run = doorward(folder.path());
    run.args([
        "run",
        "--events",
        "events",
        "--data",
        "data",
        "--decisions",
        "decisions",
    ]);
    let output = run.output().expect("the program starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    is_harmless("what `run` says", &said);
    folder
}

/// Neither moves nor colours nor hides nor turns anything on a terminal; line feeds are ours.
fn is_harmless(what: &str, text: &str) {
    let bad = text.chars().find(|letter| {
        (letter.is_control() && *letter != '\n')
            || matches!(letter,
                '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    });
    assert_eq!(bad, None, "{what}: {text:?}");
}

/// The objects of a file of lines; a raw control character in one would be another line, or no JSON.
fn objects(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).expect("a file that the run wrote");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.ends_with('\n'));
    assert!(text.chars().all(|letter| letter == '\n' || letter >= ' '));
    text.trim_end_matches('\n')
        .split('\n')
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

#[test]
fn decisions_and_dead_letters_stay_one_object_a_line() {
    let folder = decided();
    let decisions = objects(&folder.path().join("decisions"));
    let count = HOSTILE.len();
    assert_eq!(decisions.len(), 4 * count);
    for (user, text) in HOSTILE.iter().enumerate() {
        let decision = &decisions[3 * count + user];
        assert_eq!(decision["event_id"], event_id(user));
        assert_eq!(decision["source"], *text);
        assert_eq!(
            decision["user_id"].as_str().map(str::to_lowercase),
            Some(user_id(user).trim().to_lowercase())
        );
        assert_eq!(decision["device"]["state"], "new", "{decision}");
        assert_eq!(decision["type"], "login");
    }
    let letters = objects(&folder.path().join("data/dead-letters.ndjson"));
    assert_eq!(letters.len(), 2 * count);
    for letter in &letters {
        is_harmless("a message", letter["message"].as_str().expect("a message"));
    }
}

/// Tags of a page, without what stands between them.
fn tags(html: &str) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').expect("a tag that ends");
        tags.insert(tag.to_owned());
    }
    tags
}

fn template(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name);
    fs::read_to_string(path).expect("a template")
}

fn mails(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder.join("data/mail")).expect("mails");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a mail").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a mail")).collect()
}

/// Lines as a mail has them: none is bare, none too long, nothing but ASCII.
fn check_wire_form(raw: &[u8]) {
    let text = std::str::from_utf8(raw).expect("ASCII");
    assert!(text.is_ascii());
    for line in text.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0', '\u{1b}']), "{line:?}");
        assert!(line.len() <= 998, "{line:?}");
    }
}

fn check_headers(mail: &ParsedMail<'_>) {
    let mut names: Vec<String> = mail
        .headers
        .iter()
        .map(|header| header.get_key().to_lowercase())
        .collect();
    names.sort();
    let wanted = [
        "auto-submitted",
        "content-language",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ];
    assert_eq!(names, wanted);
    assert_eq!(mail.headers.get_all_values("To"), [OWNER]);
    let subject = mail.headers.get_first_value("Subject").expect("a subject");
    is_harmless("the subject", &subject);
    assert!(!subject.contains('\n'), "{subject:?}");
}

fn check_bodies(mail: &ParsedMail<'_>) {
    let [text, html] = mail.subparts.as_slice() else {
        panic!("{} parts", mail.subparts.len());
    };
    assert_eq!(
        (&*text.ctype.mimetype, &*html.ctype.mimetype),
        ("text/plain", "text/html")
    );
    let text = text.get_body().expect("text").replace("\r\n", "\n");
    let html = html.get_body().expect("text").replace("\r\n", "\n");
    for body in [&text, &html] {
        is_harmless("a body", body);
        for link in ["://", "hostile.example", "www.h", "mailto:e"] {
            assert!(!body.contains(link), "`{link}` in {body}");
        }
    }
    assert_eq!(tags(&html), tags(&template("unknown_device_in.html")), "{html}");
    assert!(text.contains("It was not me") && html.contains("It was not me"));
}

#[test]
fn mails_keep_their_headers_and_tags() {
    let folder = decided();
    let mails = mails(folder.path());
    assert_eq!(mails.len(), HOSTILE.len(), "one mail for each hostile login");
    let mut said = String::new();
    for raw in &mails {
        check_wire_form(raw);
        let mail = mailparse::parse_mail(raw).expect("a mail");
        check_headers(&mail);
        check_bodies(&mail);
        said.push_str(&mail.headers.get_first_value("Subject").expect("a subject"));
        said.push_str(&mail.subparts[1].get_body().expect("text"));
    }
    // It is there as text: neither filled in as a template nor thrown away.
    for there in [
        "{site}{{account}}{application}",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<script>alert(1)</script>",
    ] {
        assert!(said.contains(there), "{there} in {said}");
    }
}

fn explained(folder: &Path, arguments: &[&str]) -> Output {
    let mut explain = doorward(folder);
    explain.arg("explain").args(arguments);
    explain.output().expect("the program starts")
}

fn is_a_harmless_page(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let page = String::from_utf8(output.stdout.clone()).expect("text");
    assert!(page.contains("LEDGER") && page.contains("SUM"), "{page}");
    is_harmless("a page", &page);
    is_harmless("what is said beside a page", &said);
}

#[test]
fn pages_of_explain_move_no_cursor() {
    let folder = decided();
    for user in 0..HOSTILE.len() {
        let id = format!("--id={}", event_id(user));
        let output = explained(folder.path(), &["--data", "data", &id, "--width", "100"]);
        is_a_harmless_page(&output);
        let missing_id = format!("{id} not there");
        let missing = explained(folder.path(), &["--data", "data", &missing_id]);
        assert_eq!(missing.status.code(), Some(2));
        is_harmless("an error", &String::from_utf8(missing.stderr).expect("text"));
    }
    let id = format!("--id={}", event_id(0));
    is_a_harmless_page(&explained(folder.path(), &["--events", "events", &id]));
}
