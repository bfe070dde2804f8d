//! Just enough JSON to write an event whose members stand in the order in which they were set: people read these
//! lines, and their bytes must not hang on how another crate orders its maps. Reading is the business of `event`.

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Text, written with the escapes that RFC 8259 demands.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object; members are written in this order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object of these members, without those that are `null`.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        let told = members.into_iter().filter(|(_, value)| *value != Self::Null);
        Self::Object(told.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Sets the member at a path of names parted by dots, making the objects on the way. What is there and is no
    /// object is replaced.
    pub fn set(&mut self, path: &str, value: Self) {
        let (name, rest) = path
            .split_once('.')
            .map_or((path, None), |(name, rest)| (name, Some(rest)));
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(members) = self else { return };
        let index = members
            .iter()
            .position(|(known, _)| known == name)
            .unwrap_or_else(|| {
                members.push((name.to_owned(), Self::Null));
                members.len() - 1
            });
        let Some((_, slot)) = members.get_mut(index) else {
            return;
        };
        match rest {
            Some(rest) => slot.set(rest, value),
            None => *slot = value,
        }
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Takes the member at a path away.
    pub fn remove(&mut self, path: &str) {
        let Self::Object(members) = self else { return };
        match path.split_once('.') {
            None => members.retain(|(name, _)| name != path),
            Some((first, rest)) => {
                if let Some((_, inner)) = members.iter_mut().find(|(name, _)| name == first) {
                    inner.remove(rest);
                }
            }
        }
    }

    /// Appends the text of this value.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Whole(number) => out.push_str(&number.to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_members_in_their_order_and_escapes() {
        let mut event = Json::Object(Vec::new());
        event.set("type", "login".into());
        event.set("client.ip", "198.18.0.1".into());
        event.set("client.user_agent", "a\"b\\c\n\u{1}".into());
        event.set("auth.enrolled", Json::List(Vec::new()));
        event.set("type", "action".into());
        event.remove("client.ip");
        let mut text = String::new();
        event.write(&mut text);
        assert_eq!(
            text,
            r#"{"type":"action","client":{"user_agent":"a\"b\\c\n\u0001"},"auth":{"enrolled":[]}}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
