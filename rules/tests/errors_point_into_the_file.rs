//! What somebody reads who made a mistake in a rule file, to the letter.

use doorward_rules::{RuleSet, RuleSource};

/// A right rule, as lines; each case changes one.
const RIGHT: &str = r#"id = "odd-login"
title = "An odd login"
status = "stable"
evidence = "attack"
points = 7.5
group = "session"
when = 'device.state == "new" && network.kind == "tor"'
text = "odd: {device.family}"
why = "w"
false_positives = "f"
response = "r"
owner = "o"

[[tests]]
name = "odd"
given = { device.state = "new", network.kind = "tor" }
expect = "fires"

[[tests]]
name = "even"
expect = "silent"
"#;

#[test]
fn the_right_rule_is_right() {
    assert_eq!(errors(RIGHT), "");
}

#[test]
fn unknown_field() {
    let shown = errors(&RIGHT.replace("device.state ==", "device.stat =="));
    assert_eq!(
        shown,
        r#"error: unknown field `device.stat`
 --> packs/odd-login.toml:7:9
  |
7 | when = 'device.stat == "new" && network.kind == "tor"'
  |         ^^^^^^^^^^^
  = help: did you mean `device.state`?"#
    );
}

#[test]
fn a_rule_that_would_tell_somebody() {
    let shown = errors(&RIGHT.replace("points = 7.5", "points = 7.5\neffect = \"alert\""));
    assert_eq!(
        shown,
        r#"error: the effect `alert` is not built yet: a rule tells nobody so far
 --> packs/odd-login.toml:6:10
  |
6 | effect = "alert"
  |          ^^^^^^^
  = help: give `points`, or `at_least:` with a level"#
    );
    let table = "owner = \"o\"\n\n[alert]\nkind = \"odd\"\nto = \"analyst\"";
    let shown = errors(&RIGHT.replace("owner = \"o\"", table));
    assert_eq!(
        shown,
        r#"error: `[alert]` is not built yet: a rule tells nobody so far
  --> packs/odd-login.toml:14:1
   |
14 | [alert]
   | ^^^^^^^
   = help: take the table out; owners are told by how an attempt ended, whatever rules say"#
    );
}

#[test]
fn a_word_that_is_not_in_the_domain() {
    let shown = errors(&RIGHT.replace(r#"network.kind == "tor""#, r#"network.kind in ["tor", "hostin"]"#));
    assert_eq!(
        shown,
        r#"error: `network.kind` is never `hostin`
 --> packs/odd-login.toml:7:58
  |
7 | when = 'device.state == "new" && network.kind in ["tor", "hostin"]'
  |                                                          ^^^^^^^^
  = help: did you mean `hosting`?"#
    );
}

#[test]
fn a_word_that_is_like_none_of_the_domain() {
    let shown = errors(&RIGHT.replace(r#""tor""#, r#""wifi""#));
    let help = "help: it is one of none, hosting, vpn, relay, tor, satellite, mobile";
    assert!(shown.contains(help), "{shown}");
}

#[test]
fn a_construct_the_language_does_not_have() {
    let shown = errors(&RIGHT.replace(
        r#"when = 'device.state == "new" && network.kind == "tor"'"#,
        "when = '''\nclient.ip.startsWith(\"10.\")\n  && device.state == \"new\"'''",
    ));
    assert_eq!(
        shown,
        r#"error: the function `startsWith` is not supported
 --> packs/odd-login.toml:8:21
  |
8 | client.ip.startsWith("10.")
  |                     ^
  = help: a condition may use fields, numbers, text in quotes, true, false, `+ - * / %`, `== != < <= > >=`, `&& || !`, `in [..]`, `has(field)` and brackets"#
    );
}

#[test]
fn grammar() {
    let shown = errors(&RIGHT.replace("&& network", "& network"));
    assert_eq!(
        shown,
        r#"error: `&` is not an operator
 --> packs/odd-login.toml:7:31
  |
7 | when = 'device.state == "new" & network.kind == "tor"'
  |                               ^
  = help: write `&&`"#
    );
}

#[test]
fn types() {
    let shown = errors(
        &RIGHT
            .replace(r#"device.state == "new""#, r#"user.logins == \"new\""#)
            .replace("when = '", "when = \"")
            .replace(r#"network.kind == "tor"'"#, r#"has(network.asn)""#),
    );
    assert_eq!(
        shown,
        r#"error: int cannot be compared with text
 --> packs/odd-login.toml:7:21
  |
7 | when = "user.logins == \"new\" && has(network.asn)"
  |                     ^^"#
    );
}

#[test]
fn a_key_that_does_not_exist() {
    let shown = errors(&RIGHT.replace("title =", "titel ="));
    assert_eq!(
        shown,
        r#"error: the rule lacks `title`
 --> packs/odd-login.toml:1:1
  |
1 | id = "odd-login"
  | ^

error: the rule has no key `titel`
 --> packs/odd-login.toml:2:1
  |
2 | titel = "An odd login"
  | ^^^^^
  = help: did you mean `title`?"#
    );
}

#[test]
fn points_of_the_wrong_sign() {
    let shown = errors(&RIGHT.replace("7.5", "-7.5"));
    assert_eq!(
        shown,
        r#"error: evidence `attack` only raises the score, its points are positive
 --> packs/odd-login.toml:5:10
  |
5 | points = -7.5
  |          ^^^^"#
    );
}

#[test]
fn points_with_three_decimals() {
    let shown = errors(&RIGHT.replace("7.5", "7.125"));
    assert!(
        shown.starts_with("error: points have at most two decimals\n"),
        "{shown}"
    );
}

#[test]
fn an_unknown_field_in_the_text() {
    let shown = errors(&RIGHT.replace("{device.family}", "{device.famly}"));
    assert_eq!(
        shown,
        r#"error: unknown field `device.famly`
 --> packs/odd-login.toml:8:15
  |
8 | text = "odd: {device.famly}"
  |               ^^^^^^^^^^^^
  = help: did you mean `device.family`?"#
    );
}

#[test]
fn a_test_that_gives_a_field_the_wrong_value() {
    let shown = errors(&RIGHT.replace("given = { device.state = \"new\"", "given = { device.state = 3"));
    assert_eq!(
        shown,
        r#"error: `device.state` is of type text, this is a whole number
  --> packs/odd-login.toml:16:26
   |
16 | given = { device.state = 3, network.kind = "tor" }
   |                          ^"#
    );
}

#[test]
fn a_rule_without_a_silent_test() {
    let shown = errors(&RIGHT.replace("expect = \"silent\"", "expect = \"fires\""));
    assert_eq!(
        shown,
        r#"error: the rule has no test in which it is silent
 --> packs/odd-login.toml:1:1
  |
1 | id = "odd-login"
  | ^
  = help: add `[[tests]]` with a name, `given` and `expect = "silent"`"#
    );
}

#[test]
fn an_id_that_is_not_the_file_name() {
    let shown = errors(&RIGHT.replace("odd-login\"", "odd-logins\""));
    assert_eq!(
        shown,
        r#"error: the rule `odd-logins` is in the file `odd-login.toml`
 --> packs/odd-login.toml:1:6
  |
1 | id = "odd-logins"
  |      ^^^^^^^^^^^^
  = help: name the file `odd-logins.toml`"#
    );
}

#[test]
fn broken_toml() {
    let shown = errors(&RIGHT.replace("status = \"stable\"", "status = \"stable"));
    assert!(shown.starts_with("error: this is not TOML: "), "{shown}");
    assert!(shown.contains(" --> packs/odd-login.toml:3:"), "{shown}");
}

#[test]
fn one_rule_in_two_files() {
    let sources = ["packs/odd-login.toml", "other/odd-login.toml"].map(|path| RuleSource {
        path: path.to_owned(),
        text: RIGHT.to_owned(),
    });
    let faults = RuleSet::from_sources(&sources).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages, ["the rule `odd-login` is there twice"]);
}

fn errors(text: &str) -> String {
    let source = RuleSource {
        path: "packs/odd-login.toml".to_owned(),
        text: text.to_owned(),
    };
    match RuleSet::from_sources(&[source]) {
        Ok(_) => String::new(),
        Err(faults) => {
            let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
            shown.join("\n\n")
        }
    }
}
