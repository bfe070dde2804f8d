//! Reads a rule file.
//!
//! Every fault of a file is collected. What the keys mean is said in `rule.rs`.

use toml::Spanned;
use toml::de::DeValue;

use crate::compile::Condition;
use crate::diagnostic::{Diagnostic, Fault};
use crate::field_faults::{domain_fault, named_field};
use crate::given::{BaseLogins, read_given};
use crate::parser::Placed;
use crate::points::Points;
use crate::rule::{
    Action, Basis, Effect, Evidence, Expect, FactorType, Floor, Group, Rule, RuleTest, Scope, Status, Step,
    Worth,
};
use crate::rule_set::RuleSource;
use crate::schema::{Field, FieldType, closest};
use crate::template::Template;
use crate::toml_text::{Placement, SourceFile, TableReader, kind};

/// Reads one rule file.
pub fn read_rule(source: &RuleSource, bases: &BaseLogins) -> Result<Rule, Vec<Diagnostic>> {
    let mut file = SourceFile::new(&source.path, &source.text);
    let table = file.parse();
    let rule = table.and_then(|table| {
        let mut reader = TableReader::new(&table, 0..0, "the rule");
        let rule = read_keys(&mut file, &mut reader, bases);
        reader.finish(&mut file);
        rule
    });
    match rule {
        Some(rule) if file.faults.is_empty() => Ok(rule),
        _ => {
            file.faults.sort_by_key(|fault| (fault.line, fault.column));
            Err(file.faults)
        }
    }
}

/// What decides points and effect, read before the words around it.
struct Core {
    status: Status,
    evidence: Evidence,
    effect: Effect,
    group: Group,
    when: Option<Condition>,
    worth: Worth,
}

fn read_keys(
    file: &mut SourceFile<'_>,
    reader: &mut TableReader<'_, '_>,
    bases: &BaseLogins,
) -> Option<Rule> {
    let id = read_id(file, reader);
    let title = reader.text(file, "title");
    let core = read_core(file, reader);
    let basis = read_basis(file, reader);
    let scope = read_scope(file, reader);
    let tags = plain(reader.texts(file, "tags"));
    let text = reader.text(file, "text").and_then(|text| {
        let parsed = Template::parse(&text.text);
        placed(file, text, parsed)
    });
    let why = reader.text(file, "why");
    let false_positives = reader.text(file, "false_positives");
    let response = reader.text(file, "response");
    let references = plain(reader.texts(file, "references"));
    let owner = reader.text(file, "owner");
    refuse_alert(file, reader);
    let tests = read_tests(file, reader, bases);
    let (core, text) = (core?, text?);
    Some(Rule {
        id: id?.text,
        title: title?.text,
        fields: fields_of(&core, &text),
        status: core.status,
        evidence: core.evidence,
        effect: core.effect,
        worth: core.worth,
        basis: basis?,
        group: core.group,
        scope,
        tags,
        when: core.when,
        text,
        why: why?.text,
        false_positives: false_positives?.text,
        response: response?.text,
        references,
        owner: owner?.text,
        tests,
        path: file.path.to_owned(),
        source: file.text.replace("\r\n", "\n"),
    })
}

fn plain(placements: Vec<Placement>) -> Vec<String> {
    placements.into_iter().map(|placement| placement.text).collect()
}

/// Notes the fault of something read from inside a string.
fn placed<T>(file: &mut SourceFile<'_>, text: Placement, parsed: Result<T, Placed>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(placed) => {
            file.fault_in_string(text.range, placed);
            None
        }
    }
}

fn fields_of(core: &Core, text: &Template) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut add = |field: Field| {
        if !fields.contains(&field) {
            fields.push(field);
        }
    };
    core.when
        .iter()
        .flat_map(Condition::fields)
        .copied()
        .for_each(&mut add);
    match &core.worth {
        Worth::Signal(field) => add(*field),
        Worth::Steps(steps) => steps
            .iter()
            .flat_map(|step| step.when.fields())
            .copied()
            .for_each(&mut add),
        Worth::Nothing | Worth::Fixed(_) => {}
    }
    text.fields().for_each(add);
    fields
}

fn read_id(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) -> Option<Placement> {
    let id = reader.text(file, "id")?;
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let well_formed = id.text.starts_with(|c: char| c.is_ascii_lowercase())
        && id
            .text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && id.text.len() <= 64;
    if !well_formed {
        let fault = Fault::new(format!("`{}` is no name for a rule", id.text));
        let help = "at most 64 small letters, digits and `-`, named for the pattern: `new-device`";
        file.fault(id.range.clone(), fault.help(help));
    } else if id.text != stem {
        let fault = Fault::new(format!("the rule `{}` is in the file `{name}`", id.text));
        file.fault(
            id.range.clone(),
            fault.help(format!("name the file `{}.toml`", id.text)),
        );
    }
    Some(id)
}

fn read_core(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) -> Option<Core> {
    let status = reader.word(file, "status", (Status::WORDS, Status::parse), None);
    let evidence = reader.word(file, "evidence", (Evidence::WORDS, Evidence::parse), None);
    let group = reader.word(file, "group", (Group::WORDS, Group::parse), None);
    let effect = read_effect(file, reader);
    let when_given = reader.optional_text(file, "when");
    let when = when_given.clone().map(|when| {
        let compiled = Condition::compile(&when.text);
        placed(file, when, compiled)
    });
    // Without evidence the sign of points is unknown; that fault is noted already.
    let worth = evidence.and_then(|evidence| read_worth(file, reader, evidence));
    let (worth, effect) = (worth?, effect?);
    if matches!(worth, Worth::Nothing) && effect == Effect::Points {
        let fault = Fault::new("the rule lacks `points`");
        file.fault(0..0, fault.help("give `points`, `[[steps]]` or another `effect`"));
    }
    if when_given.is_none() && matches!(worth, Worth::Nothing | Worth::Fixed(_)) {
        file.fault(0..0, Fault::new("the rule lacks `when`"));
    }
    let when = match when {
        Some(compiled) => Some(compiled?),
        None => None,
    };
    Some(Core {
        status: status?,
        evidence: evidence?,
        effect,
        group: group?,
        when,
        worth,
    })
}

fn read_effect(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) -> Option<Effect> {
    let Some(value) = reader.value("effect") else {
        return Some(Effect::Points);
    };
    let word = value.get_ref().as_str().unwrap_or_default();
    let effect = parse_effect(word);
    if word == "alert" {
        let fault = Fault::new("the effect `alert` is not built yet: a rule tells nobody so far");
        file.fault(
            value.span(),
            fault.help("give `points`, or `at_least:` with a level"),
        );
    } else if effect.is_none() {
        let fault = Fault::new(format!("`{word}` is no effect"));
        let help = "it is `points`, `at_least:2`, `at_least:3`, `at_least:hold`, `at_least:deny`, \
            `at_most:` with an action, or `taint:` with the type of a factor";
        file.fault(value.span(), fault.help(help));
    }
    effect
}

fn parse_effect(word: &str) -> Option<Effect> {
    Some(match word.split_once(':') {
        None if word == "points" => Effect::Points,
        Some(("at_least", "2")) => Effect::AtLeast(Floor::Level(2)),
        Some(("at_least", "3")) => Effect::AtLeast(Floor::Level(3)),
        Some(("at_least", "hold")) => Effect::AtLeast(Floor::Hold),
        Some(("at_least", "deny")) => Effect::AtLeast(Floor::Deny),
        Some(("at_most", action)) => Effect::AtMost(Action::parse(action)?),
        Some(("taint", factor)) => Effect::Taint(FactorType::parse(factor)?),
        _ => return None,
    })
}

fn read_worth(
    file: &mut SourceFile<'_>,
    reader: &mut TableReader<'_, '_>,
    evidence: Evidence,
) -> Option<Worth> {
    let steps = read_steps(file, reader, evidence);
    let points = reader.value("points");
    match (points, steps) {
        (Some(points), Some(_)) => {
            let fault = Fault::new("a rule has either `points` or `[[steps]]`");
            file.fault(points.span(), fault);
            None
        }
        (None, Some(steps)) => steps.map(Worth::Steps),
        (None, None) => Some(Worth::Nothing),
        (Some(points), None) => match points.get_ref().as_str() {
            Some(signal) => read_signal(file, points, signal),
            None => read_points(file, "points", points, Some(evidence)).map(Worth::Fixed),
        },
    }
}

fn read_signal(file: &mut SourceFile<'_>, value: &Spanned<DeValue<'_>>, text: &str) -> Option<Worth> {
    let Some(name) = text.strip_prefix("signal:") else {
        let fault = Fault::new("`points` is a number, or `signal:` with a field");
        file.fault(
            value.span(),
            fault.help("for example `points = 18` or `points = \"signal:address.familiarity\"`"),
        );
        return None;
    };
    let numeric = |field: &Field| matches!(field.field_type(), FieldType::Int | FieldType::Float);
    let field = match named_field(name) {
        Ok(field) => field,
        Err(fault) => {
            file.fault(value.span(), fault);
            return None;
        }
    };
    if !numeric(&field) {
        let message = format!("`{name}` is of type {}, points need a number", field.field_type());
        file.fault(value.span(), Fault::new(message));
        return None;
    }
    Some(Worth::Signal(field))
}

/// The outer `Option` says whether there are steps, the inner one whether they are right.
fn read_steps(
    file: &mut SourceFile<'_>,
    reader: &mut TableReader<'_, '_>,
    evidence: Evidence,
) -> Option<Option<Vec<Step>>> {
    let tables = reader.tables(file, "steps", "the step");
    if tables.is_empty() {
        return None;
    }
    let mut steps = Vec::with_capacity(tables.len());
    let mut right = true;
    for mut table in tables {
        let when = table.text(file, "when").and_then(|when| {
            let compiled = Condition::compile(&when.text);
            placed(file, when, compiled)
        });
        let points = table
            .required(file, "points")
            .and_then(|value| read_points(file, "points", value, Some(evidence)));
        table.finish(file);
        match (when, points) {
            (Some(when), Some(points)) => steps.push(Step { when, points }),
            _ => right = false,
        }
    }
    Some(right.then_some(steps))
}

/// A number of points; with evidence given, of the right sign and not zero.
fn read_points(
    file: &mut SourceFile<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    evidence: Option<Evidence>,
) -> Option<Points> {
    let parsed = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse::<Points>(),
        DeValue::Float(number) => number.as_str().parse(),
        other => {
            let message = format!("`{key}` is a number, this is {}", kind(other));
            file.fault(value.span(), Fault::new(message));
            return None;
        }
    };
    let points = match parsed {
        Ok(points) => points,
        Err(error) => {
            file.fault(value.span(), Fault::new(error.to_string()));
            return None;
        }
    };
    match evidence.and_then(|evidence| sign_fault(evidence, points)) {
        Some(fault) => {
            file.fault(value.span(), fault);
            None
        }
        None => Some(points),
    }
}

fn sign_fault(evidence: Evidence, points: Points) -> Option<Fault> {
    let trust = evidence == Evidence::Trust;
    if points == Points::ZERO {
        Some(Fault::new("a line of no points says nothing").help("leave the step or the rule out"))
    } else if trust && points.is_positive() {
        Some(Fault::new(
            "evidence `trust` only lowers the score, its points are negative",
        ))
    } else if !trust && points.is_negative() {
        Some(Fault::new(format!(
            "evidence `{evidence}` only raises the score, its points are positive"
        )))
    } else {
        None
    }
}

fn read_basis(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) -> Option<Basis> {
    let Some(value) = reader.value("basis") else {
        return Some(Basis::Assumed);
    };
    if value.get_ref().as_str() == Some("assumed") {
        return Some(Basis::Assumed);
    }
    let Some(table) = value.get_ref().as_table() else {
        let fault = Fault::new("`basis` is \"assumed\" or what was measured");
        file.fault(
            value.span(),
            fault.help("for example `basis = { n = 1200, low = 14, high = 21 }`"),
        );
        return None;
    };
    let mut measured = TableReader::new(table, value.span(), "the basis");
    let n = measured.required(file, "n").and_then(|n| {
        let count = n
            .get_ref()
            .as_integer()
            .and_then(|n| n.as_str().parse::<u64>().ok());
        if count.is_none() {
            file.fault(n.span(), Fault::new("`n` is the number of labelled logins"));
        }
        count
    });
    let low = measured
        .required(file, "low")
        .and_then(|low| read_points(file, "low", low, None));
    let high = measured
        .required(file, "high")
        .and_then(|high| read_points(file, "high", high, None));
    measured.finish(file);
    let (low, high) = (low?, high?);
    if low > high {
        file.fault(value.span(), Fault::new("`low` is above `high`"));
    }
    Some(Basis::Measured { n: n?, low, high })
}

fn read_scope(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) -> Scope {
    let Some(mut table) = reader.table(file, "scope", "the scope") else {
        return Scope::default();
    };
    let applications = plain(table.texts(file, "applications"));
    let tenants = plain(table.texts(file, "tenants"));
    let mut user_kinds = Vec::new();
    for kind in table.texts(file, "user_kinds") {
        if let Some(fault) = domain_fault(Field::UserKind, &kind.text) {
            file.fault(kind.range, fault);
        }
        user_kinds.push(kind.text);
    }
    table.finish(file);
    Scope {
        applications,
        tenants,
        user_kinds,
    }
}

/// A table that nothing reads would let an analyst believe that somebody is told.
fn refuse_alert(file: &mut SourceFile<'_>, reader: &mut TableReader<'_, '_>) {
    if let Some(table) = reader.value("alert") {
        let fault = Fault::new("`[alert]` is not built yet: a rule tells nobody so far");
        let help = "take the table out; owners are told by how an attempt ended, whatever rules say";
        file.fault(table.span(), fault.help(help));
    }
}

fn read_tests(
    file: &mut SourceFile<'_>,
    reader: &mut TableReader<'_, '_>,
    bases: &BaseLogins,
) -> Vec<RuleTest> {
    let mut tests: Vec<RuleTest> = Vec::new();
    for mut table in reader.tables(file, "tests", "the test") {
        if let Some(test) = read_test(file, &mut table, bases) {
            if tests.iter().any(|other| other.name == test.name) {
                let message = format!("two tests are called `{}`", test.name);
                file.fault(table.range.clone(), Fault::new(message));
            }
            tests.push(test);
        }
        table.finish(file);
    }
    for (wanted, what) in [(Expect::Fires, "fires"), (Expect::Silent, "is silent")] {
        if file.faults.is_empty() && !tests.iter().any(|test| test.expect == wanted) {
            let fault = Fault::new(format!("the rule has no test in which it {what}"));
            let help = format!("add `[[tests]]` with a name, `given` and `expect = \"{wanted}\"`");
            file.fault(0..0, fault.help(help));
        }
    }
    tests
}

fn read_test(
    file: &mut SourceFile<'_>,
    table: &mut TableReader<'_, '_>,
    bases: &BaseLogins,
) -> Option<RuleTest> {
    let name = table.text(file, "name");
    let base = table.optional_text(file, "base");
    let expect = table.word(file, "expect", (Expect::WORDS, Expect::parse), None);
    let points = table
        .value("points")
        .map(|value| read_points(file, "points", value, None));
    let mut slots = match &base {
        None => bases.ordinary(),
        Some(base) => bases.get(&base.text).unwrap_or_else(|| {
            let fault = Fault::new(format!("there is no base login `{}`", base.text));
            let likely = closest(&base.text, bases.names());
            let all = || format!("it is one of {}", bases.names().collect::<Vec<_>>().join(", "));
            file.fault(base.range.clone(), fault.did_you_mean(likely, all));
            bases.ordinary()
        }),
    };
    if let Some(given) = table.value("given") {
        read_given(file, given, &mut slots);
    }
    let points = match points {
        Some(points) => Some(points?),
        None => None,
    };
    let line = file.line(table.range.start);
    Some(RuleTest {
        name: name?.text,
        slots,
        expect: expect?,
        points,
        line,
    })
}
