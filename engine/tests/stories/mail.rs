//! Just enough of a mail reader: the text part of a message, its base64 undone.

/// The first text/plain part, its lines joined by single blanks, so that the width of a line means nothing.
pub fn text_of(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    let subject = raw
        .lines()
        .find(|line| line.starts_with("Subject:"))
        .unwrap_or_default();
    let part = raw.split("text/plain").nth(1).unwrap_or_default();
    let body = part.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body = body.split("\r\n--").next().unwrap_or_default();
    let said = String::from_utf8(base64(body)).unwrap();
    let words: Vec<&str> = subject
        .split_whitespace()
        .chain(said.split_whitespace())
        .collect();
    words.join(" ")
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text
        .bytes()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != b'=')
    {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("`{}` is no base64", char::from(letter)),
        };
        held = (held << 6) | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}
